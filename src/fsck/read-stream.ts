/** What the stream has of a node's containers, and how that compares with their journals. */
import type {NatsConnection} from 'nats'
import {parseSource, type ContainerAddress} from '../../machines/ledger/ids.ts'
import {readJournalFile} from '../journal/file-journal.ts'
import {compareWithJournal} from '../messaging/compare-stream.ts'
import {readEvents} from '../messaging/read-events.ts'
import {isStreamMissing, readStreamState} from '../messaging/stream.ts'
import type {Subjects} from '../messaging/subjects.ts'
import type {StreamedLife, StreamedPart, StreamSurvey} from './survey.ts'

/** @throws NatsError when it cannot be read, except when there is no stream */
export async function readStream(connection: NatsConnection, subjects: Subjects, node: string): Promise<StreamSurvey> {
  const lives = new Map<string, StreamedLife>()
  try {
    for await (const {event} of readEvents(connection, subjects, {filter: {node}, follow: false, reader: 'fsck'})) {
      const address = parseSource(event.source)
      if (!address) continue
      const {namespace, id} = address
      const isDeleted = event.type === 'container.deleted'
      // In the order of their latest events.
      lives.delete(event.uid)
      lives.set(event.uid, {namespace, id, uid: event.uid, isDeleted})
    }
  } catch (error) {
    if (isStreamMissing(error)) return {type: 'absent'}
    throw error
  }
  return {type: 'read', lives: [...lives.values()]}
}

/** @throws TallyError JOURNAL_DAMAGED; NatsError */
export async function compareContainer(
  connection: NatsConnection,
  subjects: Subjects,
  {address, uid, file}: {readonly address: ContainerAddress; readonly uid: string; readonly file: string},
): Promise<StreamedPart> {
  const {isLimited} = await readStreamState(connection, subjects)
  const streamed = readEvents(connection, subjects, {filter: address, follow: false, reader: 'fsck'})
  const read = function* (after: number) {
    for (const event of readJournalFile(file)) if (event.sequence > after) yield event
  }
  const {kept, wrong} = await compareWithJournal(streamed, read, {uid, isLimited})
  return {kept: kept.sequence, wrong: wrong.map(({event}) => event.sequence)}
}
