/** What a new supervisor finds of a container whose supervisor has died. */
import type {BootInstant} from '../../../machines/ledger/boot-instant.ts'
import type {ProcessIdentity} from '../../../machines/ledger/events.ts'

export interface Found {
  /** Whether init is still there, as a process or a zombie, or as a descriptor from which its status can be read. */
  readonly initAlive: boolean
  /** Whether init has executed the program; one that is gone may have executed it before. */
  readonly isExecuted: boolean
  /** Whether the host has been booted since. */
  readonly isRebooted: boolean
  /** What the runtime says of the container; undefined when it knows none. */
  readonly runtimeStatus: string | undefined
  /** The process that a start in flight has left, if it has got so far. */
  readonly findExec: (exec: string) => ProcessIdentity | undefined
  /** RFC 3339 */
  readonly now: string
  /** The same on the boot clock. */
  readonly boot?: BootInstant
}
