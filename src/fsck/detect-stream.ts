/** Where the stream differs from the journals. */
import {type Finding, toFinding} from './findings.ts'
import {type Survey, type SurveyedContainer, toKey, toName} from './survey.ts'

export function detectStream({containers, supervised, stream}: Survey): readonly Finding[] {
  if (stream.type === 'unreachable') return []
  if (stream.type === 'absent') {
    const [first] = containers
    if (!first) return []
    return [
      toFinding('STREAM_ABSENT', undefined, {
        subject: 'stream',
        message: 'NATS has no stream of events; --repair has every supervisor publish its journal again',
        repair: {type: 'republish', ...toName(first)},
      }),
    ]
  }
  const present = new Set([...containers, ...supervised].map(toKey))
  const latest = new Map(stream.lives.map((life) => [toKey(life), life]))
  return [
    ...containers.flatMap(detectStreamed),
    ...[...latest.values()]
      .filter((life) => !life.isDeleted && !present.has(toKey(life)))
      .map((life) =>
        toFinding('STREAM_ORPHAN', life, {
          subject: life.uid,
          message: `the stream has it (uid ${life.uid}) and not its deletion, and it is not there: its journal is lost`,
          repair: undefined,
        }),
      ),
  ]
}

function detectStreamed(container: SurveyedContainer): readonly Finding[] {
  const {journal, streamed} = container
  if (journal.type !== 'whole' || !streamed) return []
  const repair = {type: 'republish', ...toName(container)} as const
  const {kept, wrong} = streamed
  if (wrong.length > 0) {
    const message = `the stream has events 1 to ${kept} as the journal has them, and then ${wrong.slice(0, 10).join(', ')}${wrong.length > 10 ? ', …' : ''}; --repair has its supervisor put that right`
    return [toFinding('STREAM_DISORDERED', container, {subject: `after event ${kept}`, message, repair})]
  }
  if (kept >= journal.latestSequence) return []
  const message = `the stream has ${kept} of ${journal.latestSequence} events of its journal; --repair has its supervisor publish the others`
  return [toFinding('STREAM_BEHIND', container, {subject: `after event ${kept}`, message, repair})]
}
