/**
 * How much of each client's input a process has been given, where the next supervisor finds it. One page, written in place by one
 * write(2), of which the kernel leaves no half done when the supervisor is killed.
 */
import {closeSync, constants, openSync, readFileSync, writeSync} from 'node:fs'
import * as z from 'zod'

const uncertainSchema = z.object({session: z.string(), from: z.int().nonnegative(), to: z.int().positive()})
/** Bytes of a session that the process may have or not. */
export type Uncertain = Readonly<z.output<typeof uncertainSchema>>

const stateSchema = z.object({
  /** The sessions that sent something last, oldest first: bytes that were taken from each. */
  sessions: z.array(z.tuple([z.string(), z.int().nonnegative()])),
  /** There while the process is being written to: one that the next supervisor finds was cut short by a kill. */
  attempt: z.object({session: z.string(), bytes: z.int().positive()}).optional(),
  /** Left by the supervisors before. */
  uncertain: z.array(uncertainSchema).optional(),
})
export type InputState = Readonly<z.output<typeof stateSchema>>

export interface InputRecord {
  /** No sessions when there is no record. */
  read(): InputState
  write(state: InputState): void
}

/** So many of each are recorded: they fit into a page, whatever they are called. */
export const mostRecordedSessions = 8
export const mostRecordedUncertain = 4
const pageBytes = 4096
const nothing: InputState = {sessions: []}

/** @param path beside the FIFO, in a directory that exists when there is input */
export function createInputRecord(path: string): InputRecord {
  return {
    read: () => {
      try {
        return stateSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
      } catch {
        return nothing
      }
    },
    write: (state) => {
      try {
        const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600)
        try {
          writeSync(fd, JSON.stringify(state).padEnd(pageBytes), 0)
        } finally {
          closeSync(fd)
        }
      } catch {
        // The disk is full. The process gets its input all the same; if this supervisor dies, the client's next piece is refused as a gap.
      }
    },
  }
}
