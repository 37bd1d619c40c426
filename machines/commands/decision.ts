/** The result of deciding on a command. Nothing has been done yet. */
import type {CommandType} from './commands.ts'
import type {Draft} from '../ledger/draft.ts'
import type {TopLevelState} from '../charts/states.ts'

/** What a command needs and the process does not have. It is chosen at create and cannot be added later. */
export type Lack = 'terminal' | 'input'

export type Decision =
  /** The command is accepted: this event is to be journaled. */
  | {readonly type: 'accept'; readonly draft: Draft}
  /** The same is in flight already: no new event; the reply waits for its outcome. */
  | {readonly type: 'join'}
  /** The requested state is reached already: reply at once. */
  | {readonly type: 'satisfied'}
  /** Another effect is in flight: decide again after its outcome. */
  | {readonly type: 'defer'}
  | {readonly type: 'reject'; readonly state: TopLevelState | 'paused'; readonly legal: readonly CommandType[]; readonly lacks?: Lack}
  /** The process has ended. */
  | {readonly type: 'reject-ended'; readonly state: TopLevelState}
  | ({readonly type: 'reject-exec'; readonly exec: string} & (
      | {readonly reason: 'exists' | 'unknown' | 'ended'}
      | {readonly reason: 'illegal'; readonly state: string; readonly lacks?: Lack}
    ))
