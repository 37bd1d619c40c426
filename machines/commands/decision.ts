/** What becomes of a command, before anything is done. */
import type {CommandType} from './commands.ts'
import type {Draft} from '../ledger/draft.ts'
import type {TopLevelState} from '../charts/states.ts'

/** What a command needs that a process has from its beginning or never. */
export type Lack = 'terminal' | 'input'

export type Decision =
  /** The wish is granted: journal this. */
  | {readonly type: 'accept'; readonly draft: Draft}
  /** What was wished for is under way already: no event, but an outcome to wait for. */
  | {readonly type: 'join'}
  /** What was wished for is so already. */
  | {readonly type: 'satisfied'}
  /** Something is in flight; ask again after its outcome. */
  | {readonly type: 'defer'}
  | {readonly type: 'reject'; readonly state: TopLevelState | 'paused'; readonly legal: readonly CommandType[]; readonly lacks?: Lack}
  /** There is no process any more to do it to. */
  | {readonly type: 'reject-ended'; readonly state: TopLevelState}
  | ({readonly type: 'reject-exec'; readonly exec: string} & (
      | {readonly reason: 'exists' | 'unknown' | 'ended'}
      | {readonly reason: 'illegal'; readonly state: string; readonly lacks?: Lack}
    ))
