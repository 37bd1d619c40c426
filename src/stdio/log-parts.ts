/**
 * How the lines of a chunk are divided among the files of a rotated log. A file ends before the line that would make it too large, and
 * begins where neither stream is within a line of the container: a line is completed in the file in which it began, unless that takes
 * more than the longest part of a line.
 */
import {longestPartBytes} from './cri-log.ts'

/** What goes into one file. */
export interface LogPart {
  readonly lines: Buffer
  /** How many bytes of output are in it. */
  readonly bytes: number
  /** Whether the last line is a part of a line that is not complete yet. */
  readonly inLine: boolean
}

export interface PresentFile {
  readonly size: number
  /** Whether the last line of this stream is incomplete. */
  readonly inLine: boolean
  /** The same of the other stream. */
  readonly otherInLine: boolean
}

const newline = 0x0a
const tagOfFull = 'F'.charCodeAt(0)

/**
 * @param encoded whole lines of the log, of one stream and one time
 * @param textAt where the text begins in each of them
 * @returns the first is for the present file, and may be empty; each of the others begins a file
 */
export function divideLines(
  encoded: Buffer,
  textAt: number,
  {size, inLine, otherInLine}: PresentFile,
  maxBytes: number,
): readonly LogPart[] {
  const parts: LogPart[] = []
  let isWithin = inLine
  let begin = 0
  let bytes = 0
  let sizeBefore = size
  for (let from = 0; from < encoded.length; ) {
    const end = encoded.indexOf(newline, from) + 1
    const most = isWithin || otherInLine ? maxBytes + longestPartBytes : maxBytes
    const grown = sizeBefore + from - begin
    if (grown > 0 && grown + end - from > most) {
      parts.push({lines: encoded.subarray(begin, from), bytes, inLine: isWithin})
      begin = from
      bytes = 0
      sizeBefore = 0
    }
    const isFull = encoded[from + textAt - tagBytes] === tagOfFull
    bytes += end - 1 - from - textAt + (isFull ? 1 : 0)
    isWithin = !isFull
    from = end
  }
  return [...parts, {lines: encoded.subarray(begin), bytes, inLine: isWithin}]
}

/** The tag and the space behind it. */
const tagBytes = 2
