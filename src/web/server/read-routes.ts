/** The present state: the node, its containers, one container's ledger, its log. */
import * as z from 'zod'
import {toCloudEvent} from '../../../machines/ledger/cloud-event.ts'
import {type ContainerAddress, idSchema} from '../../../machines/ledger/ids.ts'
import {TallyError} from '../../kernel/errors.ts'
import {parseRequest} from '../../messaging/codec.ts'
import type {App} from './app-environment.ts'
import {type Backend, toClient} from './backend.ts'
import {readLedger} from './ledger.ts'
import {readStreamState} from '../../messaging/stream.ts'

export const addressPath = '/api/containers/:node/:namespace/:id'
const addressSchema = z.object({node: idSchema, namespace: idSchema, id: idSchema})

/** @throws TallyError INVALID_REQUEST */
export function parseAddress(parameters: Readonly<Record<string, string>>): ContainerAddress {
  return parseFields(addressSchema, parameters)
}

/** @throws TallyError INVALID_REQUEST */
export function parseFields<S extends z.ZodType>(schema: S, fields: Readonly<Record<string, string>>): z.output<S> {
  return parseRequest(schema, Buffer.from(JSON.stringify(fields)))
}

export const countSchema = z
  .string()
  .regex(/^\d{1,15}$/, {error: (issue) => `expected a number, got ${JSON.stringify(issue.input)}`})
  .transform(Number)
const containersQuery = z.object({deleted: z.enum(['0', '1']).default('0')})
const ledgerQuery = z.object({uid: z.string().min(1).max(128).optional()})
const logQuery = z.object({tail: countSchema.optional(), position: countSchema.optional(), exec: idSchema.optional()})

export function addReadRoutes(app: App, backend: Backend): void {
  app.get('/api/node', async (context) => {
    const client = await toClient(backend, context.get('session'))
    const [info, {lastSequence}] = await Promise.all([client.info(), readStreamState(client.connection, client.subjects)])
    return context.json({info, streamSequence: lastSequence})
  })
  app.get('/api/containers', async (context) => {
    const {deleted} = parseFields(containersQuery, context.req.query())
    return context.json(await backend.readOverview({deleted: deleted === '1'}))
  })
  app.get(`${addressPath}/events`, async (context) => {
    const address = parseAddress(context.req.param())
    const {uid} = parseFields(ledgerQuery, context.req.query())
    const {streamSequence, events} = await readLedger(await toClient(backend, context.get('session')), address, uid)
    if (events.length === 0) throw unknownContainer(address, uid)
    return context.json({streamSequence, events: events.map(toCloudEvent)})
  })
  app.get(`${addressPath}/log`, async (context) => {
    const {node, namespace, id} = parseAddress(context.req.param())
    const {tail, position = 0, exec} = parseFields(logQuery, context.req.query())
    const container = (await toClient(backend, context.get('session'), node)).container(id, namespace)
    const process = exec === undefined ? container : container.process(exec)
    return context.json(await process.log(tail === undefined ? {position} : {tail}))
  })
}

function unknownContainer(address: ContainerAddress, uid: string | undefined): TallyError {
  const {node, namespace, id} = address
  const which = uid === undefined ? '' : ` with uid ${uid}`
  return new TallyError('CONTAINER_NOT_FOUND', `the stream tells of no container ${id}${which} in namespace ${namespace} on node ${node}`, {
    details: {...address, ...(uid !== undefined && {uid})},
  })
}
