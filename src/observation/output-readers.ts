/** Readers of the output of many processes. Each remembers where its last read ended; those that were used longest ago are forgotten. */
import {createOutputReader, type OutputReader} from '../stdio/output-reader.ts'

export interface OutputReaders {
  /** @param key of what has written the log: another process may write under the same path later */
  of(key: string, path: string): OutputReader
}

const mostReaders = 1_000

export function createOutputReaders(): OutputReaders {
  const readers = new Map<string, OutputReader>()
  return {
    of: (key, path) => {
      const reader = readers.get(key) ?? createOutputReader(path)
      readers.delete(key)
      readers.set(key, reader)
      const [oldest] = readers.keys()
      if (oldest !== undefined && readers.size > mostReaders) readers.delete(oldest)
      return reader
    },
  }
}
