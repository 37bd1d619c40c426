/** Programs of containers that end when a test says so, instead of after a time in which a busy machine may not get far. */
import {writeFileSync} from 'node:fs'

/** A line of shell that returns when the test has called `tellToEnd`. Its container needs an overlay, or a root of its own. */
export const untilTold = 'while [ ! -e /end ]; do sleep 0.05; done'

/** @param pid of the container's init, whose root can be written to */
export function tellToEnd(pid: number | undefined): void {
  if (!pid) throw new Error(`expected a process to tell to end, got ${pid}`)
  writeFileSync(`/proc/${pid}/root/end`, '')
}
