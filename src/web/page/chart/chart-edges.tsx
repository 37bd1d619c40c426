import type {PlacedEdge} from '../../../chart/chart-layout.ts'
import type {ChartMarks} from '../../../chart/marks.ts'
import {toArrowHead, toRoundedPath} from '../../../chart/svg-path.ts'
import type {PageChart} from './layouts.ts'
import {toCommand} from './page-model.ts'

interface ChartEdgesProps {
  readonly chart: PageChart
  readonly marks: ChartMarks
  readonly moment: number
  /** The command under the pointer: its transitions are highlighted. */
  readonly pointedAt: string | undefined
  /** Called when a possible command is clicked; absent where commands cannot be sent. */
  readonly onCommand?: (command: string) => void
}

export function ChartEdges(props: ChartEdgesProps) {
  const {chart, marks} = props
  // Highlighted edges are painted last, on top of the others.
  const ordered = chart.layout.edges.toSorted((a, b) => rank(a, marks) - rank(b, marks))
  return (
    <g>
      {chart.layout.initials.map(({parent, x, y, radius, points}) => (
        <g key={parent} class="chart-initial">
          <circle cx={x} cy={y} r={radius} />
          <path class="chart-wire" d={toRoundedPath(points)} />
          <path class="chart-head" d={toArrowHead(points)} />
        </g>
      ))}
      {ordered.map((edge) => (
        <Wire key={edge.id} {...props} edge={edge} />
      ))}
      {chart.layout.edges.map((edge) => (
        <Label key={edge.id} {...props} edge={edge} />
      ))}
    </g>
  )
}

type EdgeProps = ChartEdgesProps & {readonly edge: PlacedEdge}

function Wire({edge, chart, marks, moment, pointedAt}: EdgeProps) {
  const d = toRoundedPath(edge.points)
  const state = toState(edge, marks)
  const events = edge.transitions.map((id) => chart.model.whole.transitions.find((one) => one.id === id)?.event ?? '')
  const isPointedAt = state !== 'idle' && events.some((event) => pointedAt !== undefined && toCommand(event) === pointedAt)
  return (
    <g class="chart-edge" data-edge={edge.id} data-edge-state={state} data-pointed={isPointedAt} data-failure={events.every(isFailure)}>
      <path class="chart-wire" d={d} />
      <path class="chart-head" d={toArrowHead(edge.points)} />
      {state === 'last' && <path key={`way ${moment}`} class="chart-way" d={d} pathLength={1} />}
      {state === 'last' && <circle key={`dot ${moment}`} class="chart-traveller" r={5} style={{offsetPath: `path("${d}")`}} />}
    </g>
  )
}

function Label({edge: {label, transitions}, chart, marks, onCommand}: EdgeProps) {
  return (
    <g class="chart-label">
      <rect class="chart-plate" x={label.x} y={label.y} width={label.width} height={label.height} rx={3} />
      {label.lines.map(({text, x, y, width, transition = transitions[0] ?? ''}) => {
        const event = chart.model.whole.transitions.find(({id}) => id === transition)?.event ?? ''
        const command = toCommand(event)
        const isPossible = marks.possible.has(transition)
        const state = marks.last.has(transition) ? 'last' : isPossible ? 'possible' : 'idle'
        const shared = {x: x + width / 2, y, 'data-label-state': state, 'data-event': event}
        if (command === undefined || !isPossible || !onCommand) {
          return (
            <text key={transition} class="chart-event" {...shared}>
              {text}
            </text>
          )
        }
        // A shortcut for the mouse: the command buttons do the same and are reachable by keyboard.
        return (
          // biome-ignore lint/a11y/noStaticElementInteractions: as said above
          <text key={transition} class="chart-event chart-command" {...shared} onClick={() => onCommand(command)}>
            {text}
          </text>
        )
      })}
    </g>
  )
}

function rank(edge: PlacedEdge, marks: ChartMarks): number {
  return ['idle', 'possible', 'last'].indexOf(toState(edge, marks))
}

function toState({transitions}: PlacedEdge, {last, possible}: ChartMarks): 'last' | 'possible' | 'idle' {
  if (transitions.some((id) => last.has(id))) return 'last'
  return transitions.some((id) => possible.has(id)) ? 'possible' : 'idle'
}

function isFailure(event: string): boolean {
  return event.endsWith('-failed')
}
