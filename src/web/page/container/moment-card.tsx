import {formatClock, formatGap, formatMoment} from '../wording/duration.ts'
import {toSentence} from '../wording/event-sentence.ts'
import {findDifferences} from '../model/flatten.ts'
import type {Moment} from './moment.ts'
import {toRemembered} from './remembered.ts'
import type {Travel} from './travel.ts'

/** The event that led to this moment: what happened, when, who requested it, its cause, and what it changed. */
export function MomentCard({moment, travel}: {readonly moment: Moment; readonly travel: Travel}) {
  const {event, before, ledger, timeline, sequence, isNow} = moment
  if (!event) return null
  const {what, detail, tone} = toSentence(event)
  const previous = timeline.events[sequence - 2]
  const cause = toCause(event.causationId)
  return (
    <section class="moment" data-tone={tone} data-past={!isNow} aria-label="Moment">
      <header class="moment-head">
        <p class="moment-count">
          {isNow ? 'Latest event' : 'In the past'} · <span class="moment-number">{sequence}</span> of {timeline.events.length}
        </p>
        {!isNow && (
          <button type="button" class="button" onClick={() => travel.go(undefined)}>
            Back to now
          </button>
        )}
      </header>
      <h2 class="moment-what" aria-live="polite">
        {what}
        {detail && <span class="moment-detail"> {detail}</span>}
      </h2>
      <p class="moment-facts">
        <time class="mono" dateTime={event.time} title={formatMoment(event.time)}>
          {formatClock(event.time)}
        </time>
        {previous && <span>{formatGap(Date.parse(event.time) - Date.parse(previous.time))}</span>}
        <span>
          by <strong>{event.actor}</strong>
        </span>
        {cause !== undefined && (
          <span>
            caused by{' '}
            <button type="button" class="textlink" onClick={() => travel.go(cause)}>
              #{cause}
            </button>
          </span>
        )}
        <code>{event.type}</code>
      </p>
      <Changes before={toRemembered(before)} after={toRemembered(ledger)} />
    </section>
  )
}

/** `<uid>:<sequence>` */
export function toCause(causationId: string | undefined): number | undefined {
  const sequence = Number(causationId?.slice(causationId.lastIndexOf(':') + 1))
  return Number.isInteger(sequence) && sequence > 0 ? sequence : undefined
}

/** Allows a line break after each dot of a long path. */
function breakable(path: string): string {
  return path.replaceAll('.', '.\u200b')
}

const shownChanges = 7

function Changes({before, after}: {readonly before: object; readonly after: object}) {
  const changes = findDifferences(before, after)
  if (changes.length === 0) return <p class="changes-none">It changed nothing in the context.</p>
  return (
    <table class="changes">
      <caption class="unseen">What it changed</caption>
      <tbody>
        {changes.slice(0, shownChanges).map(({path, before: old, after: value}) => (
          <tr key={path}>
            <th scope="row">{breakable(path)}</th>
            <td>
              {old !== undefined && <del>{old}</del>}
              {value !== undefined && <ins>{value}</ins>}
            </td>
          </tr>
        ))}
        {changes.length > shownChanges && (
          <tr>
            <td colSpan={2} class="changes-more">
              and {changes.length - shownChanges} more, under Context
            </td>
          </tr>
        )}
      </tbody>
    </table>
  )
}
