import {useEffect, useLayoutEffect, useMemo, useRef, useState} from 'preact/hooks'
import type {AnsiPiece} from '../model/ansi.ts'
import {openLog} from '../model/log.ts'
import type {LogLine} from '../model/log-lines.ts'
import {FailureNote} from '../shell/notice.tsx'
import {formatClock} from '../wording/duration.ts'
import {FilterBar} from './filter-bar.tsx'
import type {Moment} from './moment.ts'

const shownLines = 1_500
const streams = ['both', 'stdout', 'stderr'] as const

/** The output up to this moment. Scrolls with new lines unless the user has scrolled up. */
export function LogTab({moment}: {readonly moment: Moment}) {
  const {node, namespace, id} = moment.address
  const log = useMemo(() => openLog(moment.address), [node, namespace, id, moment.uid])
  useEffect(() => () => log[Symbol.dispose](), [log])
  const [stream, setStream] = useState<(typeof streams)[number]>('both')
  const [text, setText] = useState('')
  const {type, lines, failure} = log.state.value
  const untilMs = moment.isNow || !moment.event ? Number.POSITIVE_INFINITY : Date.parse(moment.event.time)
  const shown = lines.filter((line) => isShown(line, {stream, text, untilMs})).slice(-shownLines)
  return (
    <div class="log-tab">
      <FilterBar
        id="log-find"
        label="Find lines"
        placeholder="Find lines…"
        text={text}
        onText={setText}
        choiceLabel="Which stream"
        choices={streams}
        chosen={stream}
        onChoose={setStream}
      />
      {failure && <FailureNote failure={failure} />}
      {type === 'missing' && <p class="tab-note">The output was deleted with the container.</p>}
      {type !== 'missing' && !failure && <Lines lines={shown} note={toNote(type, moment.isNow, shown.length)} />}
    </div>
  )
}

function Lines({lines, note}: {readonly lines: readonly LogLine[]; readonly note: string}) {
  const box = useRef<HTMLDivElement>(null)
  const isAtEnd = useRef(true)
  useLayoutEffect(() => {
    const element = box.current
    if (element && isAtEnd.current) element.scrollTop = element.scrollHeight
  })
  return (
    <div
      ref={box}
      class="log mono"
      role="log"
      aria-label="Output"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable area must be reachable by keyboard
      tabIndex={0}
      onScroll={() => {
        const element = box.current
        if (element) isAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 24
      }}
    >
      {lines.map((line) => (
        <Line key={line.number} line={line} />
      ))}
      <p class="log-note">{note}</p>
    </div>
  )
}

function Line({line: {time, stream, pieces}}: {readonly line: LogLine}) {
  return (
    <div class="log-line" data-stream={stream}>
      <time dateTime={time}>{formatClock(time)}</time>
      {stream === 'stderr' && <span class="unseen">stderr: </span>}
      <span class="log-text">
        {pieces.map((piece, index) => (
          <Piece key={index} piece={piece} />
        ))}
      </span>
    </div>
  )
}

function Piece({piece: {text, style}}: {readonly piece: AnsiPiece}) {
  const {colour, background, bold, dim, italic, underline, inverse} = style
  const [front, back] = inverse ? [background ?? 'paper', colour ?? 'ink'] : [colour, background]
  const isPlain = Object.values(style).every((value) => value === undefined)
  if (isPlain) return <>{text}</>
  return (
    <span
      class="ansi"
      data-bold={bold}
      data-dim={dim}
      data-italic={italic}
      data-underline={underline}
      style={{...(front !== undefined && {color: toCss(front)}), ...(back !== undefined && {backgroundColor: toCss(back)})}}
    >
      {text}
    </span>
  )
}

/** Colours of the palette differ between the light and the dark theme. */
function toCss(colour: number | string): string {
  if (typeof colour === 'number') return `var(--ansi-${colour})`
  return colour.startsWith('#') ? colour : `var(--log-${colour})`
}

function isShown(
  {stream, time, pieces}: LogLine,
  wanted: {readonly stream: (typeof streams)[number]; readonly text: string; readonly untilMs: number},
): boolean {
  if (wanted.stream !== 'both' && stream !== wanted.stream) return false
  if (Date.parse(time) > wanted.untilMs) return false
  return (
    wanted.text === '' ||
    pieces
      .map(({text}) => text)
      .join('')
      .toLowerCase()
      .includes(wanted.text.toLowerCase())
  )
}

function toNote(type: 'loading' | 'open' | 'ended' | 'missing' | 'failed', isNow: boolean, count: number): string {
  if (type === 'loading') return 'reading…'
  if (!isNow) return count === 0 ? 'no output at this moment' : 'output up to this moment'
  if (type === 'ended') return count === 0 ? 'no output' : 'end of output'
  return count === 0 ? 'no output yet' : 'following'
}
