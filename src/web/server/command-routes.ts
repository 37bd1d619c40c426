/** A container's commands, as they are on NATS: the same requests, the same replies, the same errors. */
import {randomUUID} from 'node:crypto'
import {bodyLimit} from 'hono/body-limit'
import * as z from 'zod'
import type {ContainerVerb} from '../../../machines/commands/commands.ts'
import {TallyError} from '../../kernel/errors.ts'
import {largestRequestBytes, requestJson} from '../../messaging/codec.ts'
import type {App} from './app-environment.ts'
import {type Backend, toClient} from './backend.ts'
import {addressPath, parseAddress} from './read-routes.ts'

export const commandVerbs = [
  'start',
  'stop',
  'kill',
  'pause',
  'resume',
  'delete',
  'update',
  'exec',
  'checkpoint',
  'close-stdin',
  'resize',
] as const satisfies readonly ContainerVerb[]

const timeoutMs = 60_000
/** For commands that write or read all of a container's memory. */
const criuTimeoutMs = 360_000
const graceSchema = z.object({graceMs: z.number().min(0).default(10_000)})

export function addCommandRoutes(app: App, backend: Backend): void {
  const limit = bodyLimit({
    maxSize: largestRequestBytes,
    onError: () => {
      throw new TallyError('REQUEST_TOO_LARGE', `expected a request of at most ${largestRequestBytes} bytes`)
    },
  })
  for (const verb of commandVerbs) {
    app.post(`${addressPath}/${verb}`, limit, async (context) => {
      const address = parseAddress(context.req.param())
      // A page of another site can send a form without a script, but not this type.
      if (!/^application\/json *(;|$)/i.test(context.req.header('Content-Type') ?? ''))
        throw new TallyError(
          'INVALID_REQUEST',
          `expected Content-Type application/json, got ${context.req.header('Content-Type') ?? 'none'}`,
        )
      const request = parseJson(await context.req.text())
      const {connection, subjects} = await toClient(backend, context.get('session'))
      const reply = await requestJson(connection, subjects.containerCommand(address, verb), request, {
        schema: z.unknown(),
        timeoutMs: toTimeout(verb, request),
        origin: {actor: context.get('session').actor, correlationId: randomUUID()},
      })
      if (reply === undefined) {
        const {node, namespace, id} = address
        throw new TallyError('CONTAINER_NOT_FOUND', `no container ${id} in namespace ${namespace} on node ${node}`, {details: {...address}})
      }
      return context.json(z.record(z.string(), z.json()).parse(reply))
    })
  }
}

function toTimeout(verb: ContainerVerb, request: unknown): number {
  if (verb === 'start' || verb === 'checkpoint') return criuTimeoutMs
  if (verb !== 'stop') return timeoutMs
  // The coordinator or supervisor refuses what is not a number.
  const {graceMs = 0} = graceSchema.safeParse(request).data ?? {}
  return Math.min(timeoutMs + graceMs, 2 ** 31 - 1)
}

function parseJson(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text)
  } catch (cause) {
    throw new TallyError('INVALID_REQUEST', `expected JSON: ${cause instanceof Error ? cause.message : String(cause)}`, {cause})
  }
}
