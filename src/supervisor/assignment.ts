import * as z from 'zod'
import {createRequestSchema} from '../../machines/schemas/create-request.ts'
import {idSchema} from '../../machines/ledger/ids.ts'

/** A descriptor that the coordinator has kept open while the container had no supervisor, and that the next supervisor inherits. */
export const inheritedDescriptorSchema = z.discriminatedUnion('type', [
  /** A pidfd: it tells how the process ended, also when it has been reaped. */
  z.object({type: z.literal('process'), exec: z.string().optional(), pid: z.int(), startTimeTicks: z.int(), fd: z.int()}),
  /** The master of a terminal. */
  z.object({type: z.literal('terminal'), exec: z.string().optional(), fd: z.int()}),
])
export type InheritedDescriptor = z.infer<typeof inheritedDescriptorSchema>

/** What a coordinator sends to a supervisor that it has started, over the IPC channel: the container that it is to supervise. */
export const assignmentSchema = z.object({
  node: idSchema,
  namespace: idSchema,
  id: idSchema,
  uid: z.string(),
  /** `create`: a new container; `recover`: the container of a supervisor that has died, as its journal has it. */
  work: z.discriminatedUnion('type', [
    z.object({type: z.literal('create'), request: createRequestSchema, actor: z.string(), correlationId: z.string()}),
    z.object({type: z.literal('recover'), kept: z.array(inheritedDescriptorSchema)}),
  ]),
})
export type Assignment = z.infer<typeof assignmentSchema>

/** What a supervisor is started with, before it has a container: one JSON object in the environment. */
export const supervisorOptionsSchema = z.object({
  stateDir: z.string(),
  runDir: z.string(),
  /** Name or path of the OCI runtime. */
  runtime: z.string(),
})
export type SupervisorOptions = z.infer<typeof supervisorOptionsSchema>
export {supervisorOptionsVariable} from './options-variable.ts'

/** What the supervisor answers, once. */
export const assignmentReplySchema = z.discriminatedUnion('type', [
  z.object({type: z.literal('done'), view: z.unknown()}),
  z.object({
    type: z.literal('failed'),
    error: z.object({code: z.string(), kind: z.string(), message: z.string(), details: z.record(z.string(), z.unknown())}),
  }),
])
export type AssignmentReply = z.infer<typeof assignmentReplySchema>
