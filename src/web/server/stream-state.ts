import type {NatsConnection} from 'nats'
import {toStreamName} from '../../messaging/stream.ts'
import type {Subjects} from '../../messaging/subjects.ts'

export interface StreamState {
  /** When it was made: a stream of the same name that was made at another time is another. */
  readonly created: string
  readonly lastSequence: number
}

export async function readStreamState(connection: NatsConnection, subjects: Subjects): Promise<StreamState> {
  const manager = await connection.jetstreamManager({checkAPI: false})
  const {created, state} = await manager.streams.info(toStreamName(subjects))
  return {created, lastSequence: state.last_seq}
}
