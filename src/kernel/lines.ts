import {readSync} from 'node:fs'

const chunkBytes = 64 * 1024
const newline = 0x0a

export interface Line {
  /** Without the newline. */
  readonly bytes: Buffer
  /** From 1, where reading began. */
  readonly number: number
  /** File position after the line and its newline. */
  readonly end: number
  /** Whether it ends with a newline; only the last line may lack one. */
  readonly complete: boolean
}

/** The lines of an open file between two byte positions, read in chunks, without moving the file's own position. */
export function* readLines(fd: number, start: number, stop: number): Generator<Line> {
  let rest: Buffer = Buffer.alloc(0)
  let position = start
  let number = 0
  while (position < stop) {
    const chunk = Buffer.alloc(Math.min(chunkBytes, stop - position))
    const count = readSync(fd, chunk, 0, chunk.length, position)
    if (count === 0) break
    position += count
    const bytes = rest.length === 0 ? chunk.subarray(0, count) : Buffer.concat([rest, chunk.subarray(0, count)])
    let from = 0
    for (let at = bytes.indexOf(newline, from); at >= 0; at = bytes.indexOf(newline, from)) {
      number += 1
      const line = bytes.subarray(from, at)
      from = at + 1
      yield {bytes: line, number, end: position - (bytes.length - from), complete: true}
    }
    rest = bytes.subarray(from)
  }
  if (rest.length > 0) yield {bytes: rest, number: number + 1, end: position, complete: false}
}
