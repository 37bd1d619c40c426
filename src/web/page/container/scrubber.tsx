import {useMemo, useRef} from 'preact/hooks'
import {toTopLevelState} from '../../../../machines/ledger/ledger.ts'
import {toContainerView} from '../../../../machines/views/container-view.ts'
import {nearestTo, toPositions} from '../model/scale.ts'
import type {Timeline} from '../model/timeline.ts'
import {formatClock} from '../wording/duration.ts'
import {toSentence} from '../wording/event-sentence.ts'
import {type Tone, toViewTone} from '../wording/state.ts'
import type {Moment} from './moment.ts'
import type {Travel} from './travel.ts'

/** The timeline of a container: states as colours, events as marks, and a handle to select a moment. */
export function Scrubber({moment, travel}: {readonly moment: Moment; readonly travel: Travel}) {
  const {timeline, sequence, isNow, event} = moment
  const last = timeline.events.length
  return (
    <section class="scrubber" data-past={!isNow} aria-label="Time travel">
      <div class="scrubber-buttons">
        <StepButton label="The first event" path="M5 4v12M15 4.5v11L7 10z" onClick={() => travel.go(1)} />
        <StepButton label="One event back" path="M13 4.5v11L5.5 10z" onClick={() => travel.step(-1)} />
        <button
          type="button"
          class="scrubber-play"
          aria-label={travel.isPlaying ? 'Pause' : 'Play all events'}
          title="Space"
          onClick={travel.togglePlaying}
        >
          <svg viewBox="0 0 20 20" aria-hidden="true">
            <path d={travel.isPlaying ? 'M6 4h3v12H6zM11 4h3v12h-3z' : 'M6.5 3.8v12.4L16 10z'} fill="currentColor" />
          </svg>
        </button>
        <StepButton label="One event forward" path="M7 4.5v11l7.5-5.5z" onClick={() => travel.step(1)} isDisabled={isNow} />
        <StepButton label="Now" path="M15 4v12M5 4.5v11l8-5.5z" onClick={() => travel.go(undefined)} isDisabled={isNow} />
      </div>
      <Line moment={moment} travel={travel} />
      <p class="scrubber-where">
        <strong>{isNow ? 'Now' : event ? formatClock(event.time) : ''}</strong>
        <span>
          {sequence} of {last}
        </span>
      </p>
    </section>
  )
}

interface StepButtonProps {
  readonly label: string
  readonly path: string
  readonly onClick: () => void
  readonly isDisabled?: boolean
}

function StepButton({label, path, onClick, isDisabled = false}: StepButtonProps) {
  return (
    <button type="button" class="scrubber-step" aria-label={label} title={label} disabled={isDisabled} onClick={onClick}>
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <path d={path} fill="currentColor" stroke="currentColor" stroke-width="1.6" stroke-linejoin="round" />
      </svg>
    </button>
  )
}

function Line({moment: {timeline, sequence, isNow, event}, travel}: {readonly moment: Moment; readonly travel: Travel}) {
  const line = useRef<HTMLDivElement>(null)
  const positions = useMemo(() => toPositions(timeline.events), [timeline])
  const spans = useMemo(() => toSpans(timeline), [timeline])
  const last = timeline.events.length
  const at = isNow ? 1 : (positions[sequence - 1] ?? 0)
  const goTo = (clientX: number) => {
    const box = line.current?.getBoundingClientRect()
    if (!box) return
    const index = nearestTo(positions, (clientX - box.left) / box.width)
    travel.go(index + 1 >= last && clientX > box.right - 4 ? undefined : index + 1)
  }
  return (
    <div
      ref={line}
      class="line"
      role="slider"
      tabIndex={0}
      aria-label="Event"
      aria-valuemin={1}
      aria-valuemax={last}
      aria-valuenow={sequence}
      aria-valuetext={event ? `${sequence} of ${last}: ${toSentence(event).what}${isNow ? ', now' : ''}` : ''}
      onPointerDown={(pressed: PointerEvent) => {
        line.current?.setPointerCapture(pressed.pointerId)
        goTo(pressed.clientX)
      }}
      onPointerMove={(moved: PointerEvent) => {
        if (line.current?.hasPointerCapture(moved.pointerId)) goTo(moved.clientX)
      }}
    >
      <div class="line-track">
        {spans.map(({from, tone, to}) => (
          <span
            key={from}
            class="line-span"
            data-tone={tone}
            style={{left: percent(positions[from - 1] ?? 0), right: percent(1 - (positions[to - 1] ?? 1))}}
          />
        ))}
      </div>
      {positions.map((position, index) => {
        const marked = timeline.events[index]
        if (!marked) return null
        return (
          <span
            key={marked.sequence}
            class="line-mark"
            data-tone={toSentence(marked).tone}
            data-after={!isNow && marked.sequence > sequence}
            title={`${marked.sequence}: ${toSentence(marked).what}`}
            style={{left: percent(position)}}
          />
        )
      })}
      <span class="line-handle" style={{left: percent(at)}} />
    </div>
  )
}

interface Span {
  /** Sequences of the first and the last event of the span. */
  readonly from: number
  readonly to: number
  readonly tone: Tone
}

/** The spans of time during which the container had the same tone. */
function toSpans(timeline: Timeline): readonly Span[] {
  const spans: Span[] = []
  for (const {sequence} of timeline.events) {
    const ledger = timeline.at(sequence)
    const view = toContainerView(ledger)
    const tone = view ? toViewTone(view) : toTopLevelState(ledger) === 'absent' ? 'gone' : 'moving'
    const open = spans.at(-1)
    if (open) spans[spans.length - 1] = {...open, to: sequence}
    if (open?.tone !== tone) spans.push({from: sequence, to: sequence, tone})
  }
  return spans
}

function percent(share: number): string {
  return `${(100 * share).toFixed(3)}%`
}
