/** An event before it is journaled: what happened, without when, where and by whom. */
import type {EventData, EventType} from './events.ts'

/** An event to be: what happened, before the ledger adds when, where and in which place. */
export type Draft = {readonly [T in EventType]: {readonly type: T; readonly data: EventData<T>}}[EventType]
