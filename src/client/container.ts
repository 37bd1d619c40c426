/** A container of the node: its init, and the processes that are added to it. */
import type {ContainerVerb} from '../../machines/commands/commands.ts'
import type {ContainerAddress} from '../../machines/ledger/ids.ts'
import {republishReplySchema} from '../../machines/views/republish.ts'
import {statsReplySchema} from '../../machines/views/stats.ts'
import {topReplySchema} from '../../machines/views/top.ts'
import {type ContainerView, containerViewSchema, logReplySchema, outputReplySchema, processViewSchema} from '../../machines/views/view.ts'
import type {Patience} from './asking.ts'
import {completeView, topAll} from './pages.ts'
import {createExecClient, toKillRequest, untilItEnds, waitRequest} from './process.ts'
import {randomId} from './random-id.ts'
import {type Requester, requestTimeoutMs} from './requester.ts'
import type {ContainerClient} from './types.ts'

/** For what moves all of a container's memory. */
const criuPatience: Patience = {patienceMs: 360_000}
const defaultGraceMs = 10_000

export function createContainerClient(requester: Requester, address: ContainerAddress): ContainerClient {
  return {
    address,
    exec: undefined,
    addProcess: ({exec = randomId(), ...request}) => requester.toContainer(address, 'exec', {exec, ...request}, processViewSchema),
    process: (exec) => createExecClient(requester, address, exec),
    start: () => command('start', {}, criuPatience),
    kill: (signal, options) => command('kill', toKillRequest(signal, options)),
    resize: (size) => command('resize', size),
    closeStdin: () => command('close-stdin', {}),
    pause: () => command('pause', {}),
    resume: () => command('resume', {}),
    checkpoint: (checkpoint) => command('checkpoint', checkpoint, criuPatience),
    update: (limits) => command('update', limits),
    stop: ({signal, graceMs} = {}) =>
      command(
        'stop',
        {...(signal !== undefined && {signal}), ...(graceMs !== undefined && {graceMs})},
        {patienceMs: requestTimeoutMs + (graceMs ?? defaultGraceMs)},
      ),
    delete: ({force = false} = {}) => command('delete', {force}),
    state: async () => await completeView(await command('state', {}), (execsFrom) => command('state', {execsFrom})),
    wait: () => command('wait', waitRequest, untilItEnds),
    output: (stream, offset, options = {}) => requester.toContainer(address, 'output', {stream, offset, ...options}, outputReplySchema),
    log: (from, options = {}) => requester.toContainer(address, 'log', {...from, ...options}, logReplySchema),
    stats: (options = {}) => requester.toContainer(address, 'stats', options, statsReplySchema),
    top: () => topAll((page) => requester.toContainer(address, 'top', page, topReplySchema)),
    republish: () => requester.toContainer(address, 'republish', {}, republishReplySchema),
  }

  function command(verb: ContainerVerb, request: object, patience?: Patience): Promise<ContainerView> {
    return requester.toContainer(address, verb, request, containerViewSchema, patience)
  }
}
