import type {EventData, EventType} from './events.ts'

/** An event before it is journaled: its type and data, without time, sequence, source and actor. */
export type Draft = {readonly [T in EventType]: {readonly type: T; readonly data: EventData<T>}}[EventType]
