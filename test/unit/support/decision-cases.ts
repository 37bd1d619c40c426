/** Every state of both charts, by a history that leads there; and every command. */
import type {AnyStateNode} from 'xstate'
import type {Command, CommandType} from '../../../machines/commands/commands.ts'
import type {Draft} from '../../../machines/ledger/draft.ts'
import {happen} from '../../support/given.ts'
import {histories, killing, stopping} from './histories.ts'

const {running, created, stopped} = histories
const restarting = (...drafts: readonly Draft[]) => [happen.restartingRequested, ...drafts.slice(1)]
const checked: readonly Draft[] = [
  {
    ...happen.createRequested,
    data: {
      request: {
        ...happen.createRequested.data.request,
        healthCheck: {args: ['true'], intervalMs: 1, timeoutMs: 1, retries: 1, startPeriodMs: 0, startIntervalMs: 1},
      },
    },
  },
  ...running.slice(1),
]
const health = (status: 'healthy' | 'unhealthy'): Draft => ({type: 'container.health-changed', data: {status, failures: 0, output: ''}})
const interactive: readonly Draft[] = [
  {...happen.createRequested, data: {request: {...happen.createRequested.data.request, terminal: true, stdin: true}}},
  {...happen.created, data: {...happen.created.data, terminal: true}},
  ...running.slice(2),
]
const paused = [...running, happen.pauseRequested, happen.paused]

/** Named as users name what they see. */
export const containerStates = {
  absent: [],
  creating: histories.creating,
  created,
  'created, from a checkpoint': [happen.checkpointedRequested, happen.prepared],
  'created, being updated': [...created, happen.updateRequested],
  starting: histories.starting,
  running,
  'running, of which no check has succeeded yet': checked,
  'running, healthy': [...checked, health('healthy')],
  'running, unhealthy': [...checked, health('unhealthy')],
  'running, with a terminal and an input': interactive,
  'being paused': [...running, happen.pauseRequested],
  paused,
  'being resumed': [...paused, happen.resumeRequested],
  'being stopped': stopping,
  'being killed': killing,
  'being written to a checkpoint': [...running, happen.checkpointRequested],
  'running, being updated': [...running, happen.updateRequested],
  stopped,
  'about to be scheduled for a restart': restarting(...stopped),
  waiting: histories.waiting,
  failed: histories.failed,
  deleting: histories.deleting,
  deleted: histories.deleted,
} as const satisfies Record<string, readonly Draft[]>
export type ContainerState = keyof typeof containerStates

const spec = {args: ['sh'], env: [], autoRemove: false, terminal: true, stdin: true}
const exec = 'x'
const added = [...running, {type: 'exec.added', data: {exec, spec}}] as const
const started = [
  ...added,
  {type: 'exec.start-requested', data: {exec}},
  {type: 'exec.started', data: {exec, process: happen.created.data.init}},
] as const
const ended = [
  ...started,
  {type: 'exec.exited', data: {exec, exit: {type: 'code', code: 0}, exitedAt: happen.exited.data.exitedAt, source: 'waitid'}},
] as const

/** Of a process that was added to a running container, or was not. */
export const processStates = {
  absent: running,
  created: added,
  'created, in a container that is being paused': [...added, happen.pauseRequested],
  'created, in a container that is paused': [...added, happen.pauseRequested, happen.paused],
  starting: started.slice(0, -1),
  running: started,
  stopped: ended,
  deleting: [...ended, {type: 'exec.delete-requested', data: {exec}}],
  deleted: [...ended, {type: 'exec.delete-requested', data: {exec}}, {type: 'exec.deleted', data: {exec}}],
} as const satisfies Record<string, readonly Draft[]>
export type ProcessState = keyof typeof processStates

const one = {
  create: {type: 'create', request: happen.createRequested.data.request},
  start: {type: 'start'},
  kill: {type: 'kill', signal: 'SIGHUP'},
  stop: {type: 'stop', signal: 'SIGTERM', graceMs: 10_000},
  pause: {type: 'pause'},
  resume: {type: 'resume'},
  'close-stdin': {type: 'close-stdin'},
  resize: {type: 'resize', columns: 100, rows: 30},
  checkpoint: {type: 'checkpoint', checkpoint: {image: '/checkpoint', leaveRunning: false}},
  update: {type: 'update', limits: {pidsLimit: 10}},
  delete: {type: 'delete', force: false},
  exec: {type: 'exec', exec, spec},
  'exec-start': {type: 'exec-start', exec},
  'exec-kill': {type: 'exec-kill', exec, signal: 'SIGTERM'},
  'exec-close-stdin': {type: 'exec-close-stdin', exec},
  'exec-resize': {type: 'exec-resize', exec, columns: 100, rows: 30},
  'exec-delete': {type: 'exec-delete', exec},
} as const satisfies {readonly [T in CommandType]: Extract<Command, {readonly type: T}>}

/** One of each, and those that are decided otherwise for what they ask. */
export const commands = {
  ...one,
  'kill with SIGKILL': {type: 'kill', signal: 'SIGKILL'},
  'delete by force': {type: 'delete', force: true},
} as const satisfies Record<string, Command>
export type CommandName = keyof typeof commands
export type ExecCommandName = Extract<CommandName, `exec${string}`>

/** Those without states in them. */
export function listStates(node: AnyStateNode): readonly AnyStateNode[] {
  return node.type === 'atomic' || node.type === 'final' ? [node] : Object.values(node.states).flatMap(listStates)
}
