/** Where the last lines of a log begin, without reading all of it. */
import type {StreamName} from '../../machines/schemas/streams.ts'
import {findEnd, readLog} from './log-file.ts'
import {listSegments} from './log-segments.ts'

const firstWindowBytes = 64 * 1024

/**
 * The position of the last `count` lines of output: a line in several parts counts once.
 * @param windowBytes so much of the end is read at first, and more if need be
 */
export function findTail(path: string, count: number, windowBytes = firstWindowBytes): number {
  const oldest = listSegments(path)[0]?.begin.position ?? 0
  const end = findEnd(path)
  for (let window = windowBytes; end - window > oldest; window *= 4) {
    const position = findTailFrom(path, end - window, count)
    if (position !== undefined) return position
  }
  return findTailFrom(path, oldest, count, true) ?? oldest
}

/**
 * @param isLineStart whether `from` is known to begin a line of both streams; otherwise it may be anywhere
 * @returns undefined when more of the log has to be read to know
 */
function findTailFrom(path: string, from: number, count: number, isLineStart = false): number | undefined {
  // Where each of the last `count` lines begins; the oldest is overwritten.
  const starts: number[] = []
  const begins: Record<StreamName, boolean | undefined> = {
    stdout: isLineStart || undefined,
    stderr: isLineStart || undefined,
  }
  let position = from
  let lines = 0
  let unknown = -1
  let isCut = !isLineStart
  for (const {stream, isFull, end} of readLog(path, from)) {
    // What comes first may be the rest of a line.
    if (!isCut) {
      if (begins[stream] === undefined) unknown = position
      if (begins[stream]) starts[lines++ % (count + 1)] = position
      begins[stream] = isFull
    }
    isCut = false
    position = end
  }
  if (count === 0) return isCut ? undefined : position
  const start = lines < count ? undefined : starts[(lines - count) % (count + 1)]
  return start !== undefined && start > unknown ? start : undefined
}
