import * as z from 'zod'
import {createRequestSchema} from '../../machines/schemas/create-request.ts'
import {idSchema} from '../../machines/ledger/ids.ts'

/** What the coordinator has held of a container while it had no supervisor, as a descriptor that is inherited. */
export const inheritedDescriptorSchema = z.discriminatedUnion('type', [
  /** A process, by a pidfd: it tells how it ended, also when it has been reaped. */
  z.object({type: z.literal('process'), exec: z.string().optional(), pid: z.int(), startTimeTicks: z.int(), fd: z.int()}),
  /** The master of a terminal. */
  z.object({type: z.literal('terminal'), exec: z.string().optional(), fd: z.int()}),
])
export type InheritedDescriptor = z.infer<typeof inheritedDescriptorSchema>

/** What a coordinator hands to a supervisor that it has started, over the IPC channel: the container to look after. */
export const assignmentSchema = z.object({
  node: idSchema,
  namespace: idSchema,
  id: idSchema,
  uid: z.string(),
  /** `create`: a new container; `recover`: one whose supervisor has died, as its journal tells. */
  work: z.discriminatedUnion('type', [
    z.object({type: z.literal('create'), request: createRequestSchema, actor: z.string(), correlationId: z.string()}),
    z.object({type: z.literal('recover'), kept: z.array(inheritedDescriptorSchema)}),
  ]),
})
export type Assignment = z.infer<typeof assignmentSchema>

/** What a supervisor is started with, before it knows its container. In the environment, as one JSON object. */
export const supervisorOptionsSchema = z.object({
  stateDir: z.string(),
  runDir: z.string(),
  /** Name or path of the OCI runtime. */
  runtime: z.string(),
})
export type SupervisorOptions = z.infer<typeof supervisorOptionsSchema>
export const supervisorOptionsVariable = 'TALLY_SUPERVISOR_OPTIONS'

/** What it answers, once. */
export const assignmentReplySchema = z.discriminatedUnion('type', [
  z.object({type: z.literal('done'), view: z.unknown()}),
  z.object({
    type: z.literal('failed'),
    error: z.object({code: z.string(), kind: z.string(), message: z.string(), details: z.record(z.string(), z.unknown())}),
  }),
])
export type AssignmentReply = z.infer<typeof assignmentReplySchema>
