/**
 * How much of each client's input a process has been given, where the next supervisor finds it. One page, written in place by one
 * write(2): the kernel does not leave such a write half done.
 */
import {closeSync, constants, openSync, readFileSync, writeSync} from 'node:fs'
import * as z from 'zod'

const stateSchema = z.object({
  /** The last that have sent something, the eldest first: bytes that were taken from each. */
  sessions: z.array(z.tuple([z.string(), z.int().nonnegative()])),
  /** Written before and after each write to the process: one that is found was cut short by a kill, and may have been done or not. */
  attempt: z.object({session: z.string(), bytes: z.int().positive()}).optional(),
})
export type InputState = Readonly<z.output<typeof stateSchema>>

export interface InputRecord {
  /** Nothing when there is none. */
  read(): InputState
  write(state: InputState): void
}

/** So many are remembered: they fit into a page. */
export const mostRecordedSessions = 8
const pageBytes = 4096
const nothing: InputState = {sessions: []}

/** @param path beside the FIFO, in a directory that is there when there is input */
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
        // A full disk. The process has its input all the same; who sends it is told of a gap when this supervisor dies.
      }
    },
  }
}
