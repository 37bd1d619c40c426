import {readSync} from 'node:fs'

const chunkBytes = 64 * 1024
const newline = 0x0a

export interface Line {
  readonly text: string
  /** From 1, counted from where reading began. */
  readonly number: number
  /** File position behind the line and its newline. */
  readonly end: number
  /** Whether it ended with a newline; only the last may not. */
  readonly complete: boolean
}

/** The lines of an open file between two byte positions, read in chunks, without moving the file's own position. */
export function* readLines(fd: number, start: number, stop: number): Generator<Line> {
  let rest = Buffer.alloc(0)
  let position = start
  let number = 0
  while (position < stop) {
    const chunk = Buffer.alloc(Math.min(chunkBytes, stop - position))
    const count = readSync(fd, chunk, 0, chunk.length, position)
    if (count === 0) break
    position += count
    let bytes = Buffer.concat([rest, chunk.subarray(0, count)])
    for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline)) {
      number += 1
      const text = bytes.subarray(0, at).toString('utf8')
      bytes = bytes.subarray(at + 1)
      yield {text, number, end: position - bytes.length, complete: true}
    }
    rest = bytes
  }
  if (rest.length > 0) yield {text: rest.toString('utf8'), number: number + 1, end: position, complete: false}
}
