import type {LedgerEvent} from '../../../../machines/ledger/events.ts'
import {parseSource} from '../../../../machines/ledger/ids.ts'
import {recentEvents} from '../model/containers.ts'
import {Link} from '../shell/link.tsx'
import {formatClock} from '../wording/duration.ts'
import {toSentence} from '../wording/event-sentence.ts'

/** The newest events of all containers, as they arrive. */
export function RecentEvents() {
  return (
    <aside class="recent-events" aria-label="Recent events">
      <h2>Recent events</h2>
      {recentEvents.value.length === 0 ? (
        <p class="recent-events-empty">No event yet.</p>
      ) : (
        <ol>
          {recentEvents.value.map((event) => (
            <RecentEvent key={`${event.uid}:${event.sequence}`} event={event} />
          ))}
        </ol>
      )}
    </aside>
  )
}

function RecentEvent({event}: {readonly event: LedgerEvent}) {
  const address = parseSource(event.source)
  if (!address) return null
  const {what, detail, tone} = toSentence(event)
  return (
    <li class="recent-event" data-tone={tone}>
      <time class="mono" dateTime={event.time}>
        {formatClock(event.time).slice(0, 8)}
      </time>
      <span class="two-lines">
        <Link to={{page: 'container', address, uid: event.uid, at: event.sequence}}>{address.id}</Link>{' '}
        <strong>{what.toLowerCase()}</strong>
        {detail && <span class="recent-event-detail"> {detail}</span>}
      </span>
    </li>
  )
}
