/** An added process of a container. */
import type {ContainerVerb} from '../../machines/commands/commands.ts'
import type {ContainerAddress} from '../../machines/ledger/ids.ts'
import {containerViewSchema, logReplySchema, outputReplySchema, type ProcessView, processViewSchema} from '../../machines/views/view.ts'
import type {Patience} from './asking.ts'
import type {Requester} from './requester.ts'
import type {ExecClient} from './types.ts'

/** Short, since a supervisor remembers a waiting client for so long, also one that has gone. */
const waitMs = 4_000
export const waitRequest = {waitMs}
/** The answer comes a little after that, if it comes. */
export const untilItEnds: Patience = {patienceMs: Number.POSITIVE_INFINITY, attemptMs: [waitMs + 1_000]}

export function createExecClient(requester: Requester, address: ContainerAddress, exec: string): ExecClient {
  return {
    address,
    exec,
    start: () => command('start', {}),
    kill: (signal, options) => command('kill', toKillRequest(signal, options)),
    resize: (size) => command('resize', size),
    closeStdin: () => command('close-stdin', {}),
    state: () => command('state', {}),
    wait: () => command('wait', waitRequest, untilItEnds),
    delete: () => requester.toContainer(address, 'delete', {exec}, containerViewSchema),
    output: (stream, offset, options = {}) =>
      requester.toContainer(address, 'output', {exec, stream, offset, ...options}, outputReplySchema),
    log: (from, options = {}) => requester.toContainer(address, 'log', {exec, ...from, ...options}, logReplySchema),
  }

  function command(verb: ContainerVerb, request: object, patience?: Patience): Promise<ProcessView> {
    return requester.toContainer(address, verb, {exec, ...request}, processViewSchema, patience)
  }
}

export function toKillRequest(signal: string | number | undefined, {all}: {readonly all?: boolean} = {}): object {
  return {...(signal !== undefined && {signal}), ...(all !== undefined && {all})}
}
