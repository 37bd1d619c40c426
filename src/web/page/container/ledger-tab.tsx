import {useState} from 'preact/hooks'
import {toCloudEvent} from '../../../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../../../machines/ledger/events.ts'
import {formatClock, formatGap, formatMoment} from '../wording/duration.ts'
import {toSentence} from '../wording/event-sentence.ts'
import {FilterBar} from './filter-bar.tsx'
import type {Moment} from './moment.ts'
import {toCause} from './moment-card.tsx'
import type {Travel} from './travel.ts'

const kinds = ['all', 'requests', 'outcomes', 'failures', 'processes'] as const
type Kind = (typeof kinds)[number]

/** All events of the container, newest first. Each is a link to its moment and can show its JSON. */
export function LedgerTab({moment, travel}: {readonly moment: Moment; readonly travel: Travel}) {
  const [text, setText] = useState('')
  const [kind, setKind] = useState<Kind>('all')
  const events = moment.timeline.events.filter((event) => isOfKind(event, kind) && matches(event, text)).toReversed()
  return (
    <div class="ledger">
      <FilterBar
        id="ledger-find"
        label="Find events"
        placeholder="Type, actor, detail…"
        text={text}
        onText={setText}
        choiceLabel="Which events"
        choices={kinds}
        chosen={kind}
        onChoose={setKind}
      />
      {events.length === 0 && <p class="tab-note">No event matches.</p>}
      <ol class="entries">
        {events.map((event) => (
          <Entry key={event.sequence} event={event} previous={moment.timeline.events[event.sequence - 2]} moment={moment} travel={travel} />
        ))}
      </ol>
    </div>
  )
}

interface EntryProps {
  readonly event: LedgerEvent
  readonly previous: LedgerEvent | undefined
  readonly moment: Moment
  readonly travel: Travel
}

function Entry({event, previous, moment, travel}: EntryProps) {
  const [isOpen, setOpen] = useState(false)
  const {what, detail, tone} = toSentence(event)
  const cause = toCause(event.causationId)
  const isHere = event.sequence === moment.sequence
  return (
    <li class="entry" data-tone={tone} data-here={isHere} data-later={event.sequence > moment.sequence} data-type={event.type}>
      <button
        type="button"
        class="entry-go"
        aria-current={isHere ? 'step' : undefined}
        title={formatMoment(event.time)}
        onClick={() => travel.go(event.sequence)}
      >
        <span class="entry-sequence">{event.sequence}</span>
        <span class="entry-time mono">{formatClock(event.time)}</span>
        <span class="entry-text two-lines">
          <strong>{what}</strong> {detail && <span class="entry-detail">{detail}</span>}
        </span>
      </button>
      <span class="entry-gap">{previous ? formatGap(Date.parse(event.time) - Date.parse(previous.time)) : ''}</span>
      <span class="entry-actor">
        {event.actor}
        {cause !== undefined && cause !== event.sequence && (
          <button type="button" class="textlink" title={`caused by event ${cause}`} onClick={() => travel.go(cause)}>
            ↳ {cause}
          </button>
        )}
      </span>
      <button
        type="button"
        class="entry-raw"
        aria-expanded={isOpen}
        aria-label={`JSON of event ${event.sequence}`}
        onClick={() => setOpen(!isOpen)}
      >
        {'{ }'}
      </button>
      {isOpen && <pre class="entry-json mono">{JSON.stringify(toCloudEvent(event), undefined, 2)}</pre>}
    </li>
  )
}

function isOfKind({type}: LedgerEvent, kind: Kind): boolean {
  switch (kind) {
    case 'all':
      return true
    case 'requests':
      return type.endsWith('-requested')
    case 'outcomes':
      return !type.endsWith('-requested')
    case 'failures':
      return type.endsWith('-failed') || type === 'container.oom' || type.startsWith('supervisor.')
    case 'processes':
      return type.startsWith('exec.')
  }
}

function matches(event: LedgerEvent, text: string): boolean {
  const {what, detail} = toSentence(event)
  const searched = `${event.type} ${event.actor} ${what} ${detail}`.toLowerCase()
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => searched.includes(word))
}
