import type {LedgerEvent} from '../../../../machines/ledger/events.ts'
import {parseSource} from '../../../../machines/ledger/ids.ts'
import {movements} from '../model/harbour.ts'
import {Link} from '../shell/link.tsx'
import {formatClock} from '../wording/duration.ts'
import {toSentence} from '../wording/event-sentence.ts'

/** The newest lines of the ledger of all containers, as they are written. */
export function Movements() {
  return (
    <aside class="movements" aria-label="Movements">
      <h2>Movements</h2>
      {movements.value.length === 0 ? (
        <p class="movements-empty">Nothing has moved since you came.</p>
      ) : (
        <ol>
          {movements.value.map((event) => (
            <Movement key={`${event.uid}:${event.sequence}`} event={event} />
          ))}
        </ol>
      )}
    </aside>
  )
}

function Movement({event}: {readonly event: LedgerEvent}) {
  const address = parseSource(event.source)
  if (!address) return null
  const {what, detail, tone} = toSentence(event)
  return (
    <li class="movement" data-tone={tone}>
      <time class="mono" dateTime={event.time}>
        {formatClock(event.time).slice(0, 8)}
      </time>
      <span class="movement-text">
        <Link to={{page: 'container', address, uid: event.uid, at: event.sequence}}>{address.id}</Link>{' '}
        <strong>{what.toLowerCase()}</strong>
        {detail && <span class="movement-detail"> {detail}</span>}
      </span>
    </li>
  )
}
