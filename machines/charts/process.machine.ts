/**
 * The life of one process that `exec` added to a container, as a chart over the `exec.*` events of the container's ledger.
 * The container's own chart says when one may be added and started, and waits for their ends before its own.
 */
import {setup} from 'xstate'
import type {ConsoleSize} from '../schemas/fields.ts'
import {assertThere} from './assert-there.ts'
import {type EndRequest, toEndRequest} from './end-request.ts'
import type {EffectParams} from './effects.ts'
import type {EventData, ExecEvent, Failure, LedgerEvent, ProcessIdentity} from '../ledger/events.ts'
import type {ExecSpec} from '../schemas/exec-spec.ts'
import type {SignalName} from '../schemas/signals.ts'

export interface ProcessContext {
  readonly spec: ExecSpec | undefined
  readonly addedAt: string | undefined
  readonly startedAt: string | undefined
  readonly process: ProcessIdentity | undefined
  readonly consoleSize: ConsoleSize | undefined
  readonly stdinClosed: boolean
  /** Asked for, and not known to have been sent. */
  readonly unsentSignal: SignalName | undefined
  /** The request that its end would answer; undefined before the first. */
  readonly endRequest: EndRequest | undefined
  readonly exited: EventData<'exec.exited'> | undefined
  /** Why the last of what was asked of it failed; absent when that was done. */
  readonly error: Failure | undefined
}

const effect =
  <T extends keyof EffectParams>() =>
  (_: unknown, _params: EffectParams[T]) => {}

const chart = setup({
  types: {context: {} as ProcessContext, events: {} as ExecEvent, tags: {} as 'in-flight'},
  actions: {
    'exec.start': effect<'exec.start'>(),
    'exec.kill': effect<'exec.kill'>(),
    'exec.stdin.close': effect<'exec.stdin.close'>(),
    'exec.terminal.resize': effect<'exec.terminal.resize'>(),
    'exec.end': effect<'exec.end'>(),
    'exec.delete': effect<'exec.delete'>(),
    'request.exec-delete': effect<'request.exec-delete'>(),
  },
  guards: {
    isAutoRemoved: ({context}) => context.spec?.autoRemove === true,
    hasTerminal: ({context}) => context.spec?.terminal === true,
    hasOpenStdin: ({context}) => context.spec?.stdin === true && !context.stdinClosed,
  },
})

const recordAdded = chart.assign(({event}) =>
  event.type === 'exec.added' ? {spec: event.data.spec, consoleSize: event.data.spec.consoleSize, addedAt: event.time} : {},
)
const recordStarted = chart.assign(({event}) =>
  event.type === 'exec.started' ? {process: event.data.process, startedAt: event.time, error: undefined} : {},
)
const recordFailure = chart.assign(({event}) => ('error' in event.data ? {error: event.data.error} : {}))
const recordKill = chart.assign(({event}) =>
  event.type === 'exec.kill-requested' ? {unsentSignal: event.data.signal, endRequest: toEndRequest(event)} : {},
)
const recordSent = chart.assign({unsentSignal: undefined})
const recordExit = chart.assign(({event}) => (event.type === 'exec.exited' ? {exited: event.data, unsentSignal: undefined} : {}))
const recordStdinClosed = chart.assign({stdinClosed: true})
const recordSize = chart.assign(({event}) =>
  event.type === 'exec.resized' ? {consoleSize: {columns: event.data.columns, rows: event.data.rows}} : {},
)

const ofEvent = ({event}: {event: ExecEvent}) => ({exec: event.data.exec})
const start = {
  type: 'exec.start',
  params: ({context, event}: {context: ProcessContext; event: ExecEvent}): EffectParams['exec.start'] => ({
    exec: event.data.exec,
    spec: {...assertThere(context.spec), ...(context.consoleSize && {consoleSize: context.consoleSize})},
  }),
} as const
const sendSignal = {
  type: 'exec.kill',
  params: ({event: {data}}: {event: LedgerEvent<'exec.kill-requested'>}): EffectParams['exec.kill'] => ({
    exec: data.exec,
    signal: data.signal,
    ...(data.all && {all: true}),
  }),
} as const
const applySize = {
  type: 'exec.terminal.resize',
  params: ({event: {data}}: {event: LedgerEvent<'exec.resized'>}): EffectParams['exec.terminal.resize'] => ({
    exec: data.exec,
    columns: data.columns,
    rows: data.rows,
  }),
} as const
const requestDelete = (reason: string) =>
  ({type: 'request.exec-delete', params: ({event}: {event: ExecEvent}) => ({exec: event.data.exec, reason})}) as const
const closeStdin = {type: 'exec.stdin.close', params: ofEvent} as const
const endOutput = {type: 'exec.end', params: ofEvent} as const

export const processMachine = chart.createMachine({
  id: 'process',
  description: 'The life of one process that was added to a container.',
  context: {
    spec: undefined,
    addedAt: undefined,
    startedAt: undefined,
    process: undefined,
    consoleSize: undefined,
    stdinClosed: false,
    unsentSignal: undefined,
    endRequest: undefined,
    exited: undefined,
    error: undefined,
  },
  initial: 'absent',
  on: {
    'exec.signalled': {description: 'A signal asked for earlier was sent; it may have ended meanwhile.', actions: recordSent},
    'exec.kill-failed': {actions: [recordFailure, recordSent]},
  },
  states: {
    absent: {
      description: 'Nothing has happened yet.',
      on: {'exec.added': {target: 'created', actions: recordAdded}},
    },
    created: {
      description: 'The process was added and waits for its start.',
      on: {
        'exec.start-requested': {target: 'starting', actions: start},
        'exec.stdin-closed': {guard: 'hasOpenStdin', actions: recordStdinClosed},
        'exec.resized': {guard: 'hasTerminal', actions: recordSize},
        'exec.delete-requested': {target: 'deleting', actions: {type: 'exec.delete', params: ofEvent}},
      },
    },
    starting: {
      description: 'The runtime starts the process in the container. An exit that is observed meanwhile is recorded after `exec.started`.',
      tags: 'in-flight',
      on: {
        'exec.started': {target: 'running', actions: recordStarted},
        'exec.start-failed': [
          {guard: 'isAutoRemoved', target: 'created', actions: [recordFailure, requestDelete('start failed')]},
          {target: 'created', actions: recordFailure},
        ],
      },
    },
    running: {
      description: 'The program runs.',
      on: {
        'exec.kill-requested': {actions: [recordKill, sendSignal]},
        'exec.stdin-closed': {guard: 'hasOpenStdin', actions: [recordStdinClosed, closeStdin]},
        'exec.resized': {guard: 'hasTerminal', actions: [recordSize, applySize]},
        'exec.exited': [
          {guard: 'isAutoRemoved', target: 'stopped', actions: [recordExit, endOutput, requestDelete('auto-remove')]},
          {target: 'stopped', actions: [recordExit, endOutput]},
        ],
      },
    },
    stopped: {
      description: 'The process has ended; its exit status is in the ledger.',
      on: {'exec.delete-requested': {target: 'deleting', actions: {type: 'exec.delete', params: ofEvent}}},
    },
    deleting: {
      description: 'The FIFOs and the output of the process are removed.',
      tags: 'in-flight',
      on: {'exec.deleted': 'deleted'},
    },
    deleted: {description: 'The process is gone. Its events stay in the stream.', type: 'final'},
  },
})
