/** Responses of the HTTP API that are not replies of commands. */
import * as z from 'zod'
import {statsReplySchema} from '../../../../machines/views/stats.ts'
import {containerViewSchema, logReplySchema, nodeInfoSchema} from '../../../../machines/views/view.ts'

export const nodeReplySchema = z.object({info: nodeInfoSchema, streamSequence: z.int()})

export const containersReplySchema = z.object({streamSequence: z.int(), containers: z.array(containerViewSchema)})

/** The events are CloudEvents, parsed by `parseLedgerEvent`. */
export const eventsReplySchema = z.object({streamSequence: z.int(), events: z.array(z.unknown())})

export const logEntrySchema = z.object({...logReplySchema.shape.entries.element.shape, next: z.int()})

export const statsSampleSchema = z.object({node: z.string(), namespace: z.string(), id: z.string(), ...statsReplySchema.shape})
export type StatsSample = z.infer<typeof statsSampleSchema>
