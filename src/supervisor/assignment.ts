import * as z from 'zod'
import {createRequestSchema} from '../../machines/schemas/create-request.ts'
import {idSchema} from '../../machines/ledger/ids.ts'

/** How a process ended whose shim was killed before it could be told: the coordinator was its parent then, or has a pidfd of it. */
export const knownExitSchema = z.object({
  pid: z.int(),
  startTimeTicks: z.int(),
  exit: z.discriminatedUnion('type', [
    z.object({type: z.literal('code'), code: z.int()}),
    z.object({type: z.literal('signal'), signalNumber: z.int(), coreDumped: z.boolean()}),
  ]),
  source: z.enum(['coordinator', 'pidfd']),
})
export type KnownExit = z.infer<typeof knownExitSchema>

/** What a coordinator sends to a supervisor that it has started, over the IPC channel: the container that it is to supervise. */
export const assignmentSchema = z.object({
  node: idSchema,
  namespace: idSchema,
  id: idSchema,
  uid: z.string(),
  /** `create`: a new container; `recover`: the container of a supervisor that has died, as its journal has it. */
  work: z.discriminatedUnion('type', [
    z.object({type: z.literal('create'), request: createRequestSchema, actor: z.string(), correlationId: z.string()}),
    z.object({type: z.literal('recover'), exits: z.array(knownExitSchema)}),
  ]),
})
export type Assignment = z.infer<typeof assignmentSchema>

/** The arguments with which the shim starts the next supervisor of a container: what it is to do is in the journal. */
export function toAssignmentArguments({node, namespace, id, uid}: Assignment): readonly string[] {
  return [node, namespace, id, uid]
}

/** With what the shim is to start the next supervisor of a container, of the same program as this one. */
export function toNextCommand(assignment: Assignment): readonly string[] {
  return [process.execPath, ...process.execArgv, process.argv[1] ?? '', ...toAssignmentArguments(assignment)]
}

/** @returns undefined for a supervisor that gets its container later */
export function parseAssignmentArguments(argv: readonly string[]): Assignment | undefined {
  if (argv.length === 0) return undefined
  const [node, namespace, id, uid] = argv
  return assignmentSchema.parse({node, namespace, id, uid, work: {type: 'recover', exits: []}})
}

/** What a supervisor is started with, before it has a container: one JSON object in the environment. */
export const supervisorOptionsSchema = z.object({
  stateDir: z.string(),
  runDir: z.string(),
  /** Name or path of the OCI runtime. */
  runtime: z.string(),
  /** How long nothing has to happen before a supervisor falls asleep, in milliseconds; never when absent. */
  sleepAfterMs: z.number().positive().optional(),
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
