/** Turns log entries into lines of text: decodes bytes, joins parts of a line, applies escape sequences. */
import type {StreamName} from '../../../../machines/schemas/streams.ts'
import type {LogReply} from '../../../../machines/views/view.ts'
import {type AnsiPiece, type AnsiStyle, parseAnsi} from './ansi.ts'

export type LogEntry = LogReply['entries'][number]

export interface LogLine {
  /** Counted from the first line that was read. */
  readonly number: number
  readonly time: string
  readonly stream: StreamName
  readonly pieces: readonly AnsiPiece[]
  /** The line has no newline yet: more of it may follow. */
  readonly isOpen: boolean
}

interface StreamMemory {
  readonly decoder: TextDecoder
  style: AnsiStyle
}

const keptLines = 4_000

/** @returns a function that adds entries to lines. Lines of the two streams are never mixed. */
export function createLineReader(): (lines: readonly LogLine[], entries: readonly LogEntry[]) => readonly LogLine[] {
  const memories = {stdout: createMemory(), stderr: createMemory()}
  let count = 0
  return (lines, entries) => {
    const next = [...lines]
    for (const entry of entries) addEntry(next, entry)
    return next.slice(-keptLines)
  }

  function addEntry(lines: LogLine[], {time, stream, data}: LogEntry): void {
    const memory = memories[stream]
    const text = memory.decoder.decode(toBytes(data), {stream: true})
    const isOpen = !text.endsWith('\n')
    const {pieces, style} = parseAnsi(toShown(text.replace(/\r?\n$/, '')), memory.style)
    memory.style = style
    const index = lines.findLastIndex((line) => line.stream === stream)
    const before = lines[index]
    if (before?.isOpen) lines[index] = {...before, pieces: [...before.pieces, ...pieces], isOpen}
    else lines.push({number: ++count, time, stream, pieces, isOpen})
  }
}

/** A carriage return without a newline returns to the start of the line, as in progress bars: earlier text is dropped. */
function toShown(line: string): string {
  return line.replace(/\r+$/, '').replace(/^.*\r/s, '')
}

function createMemory(): StreamMemory {
  return {decoder: new TextDecoder(), style: {}}
}

function toBytes(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
}
