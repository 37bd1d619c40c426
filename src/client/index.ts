export type {CreateRequestInput} from '../../machines/schemas/create-request.ts'
export type {EventType, LedgerEvent} from '../../machines/ledger/events.ts'
export type {ContainerAddress} from '../../machines/ledger/ids.ts'
export {foldEvents, type Ledger} from '../../machines/ledger/ledger.ts'
export type {ProcessExit} from '../../machines/ledger/process-exit.ts'
export type {Limits} from '../../machines/schemas/limits.ts'
export type {ContainerProcess, TopReply} from '../../machines/views/top.ts'
export type {StatsReply} from '../../machines/views/stats.ts'
export type {ContainerView, NodeInfo, OutputReply, ProcessView} from '../../machines/views/view.ts'
export {type ErrorCode, type ErrorKind, TallyError} from '../kernel/errors.ts'
export {
  type ClientOptions,
  type ContainerClient,
  connectTally,
  type ExecClient,
  type ExecRequestInput,
  findExit,
  type ProcessClient,
  type TallyClient,
} from './client.ts'
export {type FollowOptions, followOutput, type OutputFollower} from './follow-output.ts'
export {followStats} from './follow-stats.ts'
export {type Got, holdOutput, type OutputHold} from './hold-output.ts'
export {createInputSender, type InputSender} from './send-input.ts'
export {createNamedReader, type NamedReader} from './watched.ts'
