import type {PlacedState} from '../../../chart/chart-layout.ts'
import type {ChartMarks} from '../../../chart/marks.ts'
import type {PageChart} from './layouts.ts'

interface ChartStatesProps {
  readonly chart: PageChart
  readonly marks: ChartMarks
  /** Changes when a state is entered: restarts the animation. */
  readonly moment: number
}

export function ChartStates({chart, marks, moment}: ChartStatesProps) {
  return (
    <g>
      {chart.layout.states.map((state) => (
        <State key={state.id} chart={chart} placed={state} isActive={marks.active.has(state.id)} moment={moment} />
      ))}
    </g>
  )
}

interface StateProps {
  readonly chart: PageChart
  readonly placed: PlacedState
  readonly isActive: boolean
  readonly moment: number
}

function State({chart, placed: {id, x, y, width, height, isRegion, lines}, isActive, moment}: StateProps) {
  const state = chart.model.whole.states.get(id)
  const kind = isRegion ? 'region' : (state?.states.length ?? 0) > 0 ? 'compound' : 'leaf'
  return (
    <g class="chart-state" data-state={id} data-kind={kind} data-active={isActive} data-final={state?.type === 'final'}>
      <title>{[id, state?.description ?? ''].filter((part) => part !== '').join(': ')}</title>
      <rect class="chart-box" x={x} y={y} width={width} height={height} rx={kind === 'leaf' ? 7 : 11} />
      {isActive && kind === 'leaf' && <rect class="chart-arrival" key={moment} x={x} y={y} width={width} height={height} rx={7} />}
      {state?.type === 'final' && <rect class="chart-final" x={x + 3.5} y={y + 3.5} width={width - 7} height={height - 7} rx={4.5} />}
      {lines.map((line) => (
        <text key={line.text} class={`chart-${line.kind}`} x={line.x} y={line.y + 0.5}>
          {line.text}
        </text>
      ))}
      {state?.tags.includes('in-flight') && <InFlightMark x={x + width - 24} y={y + height / 2} />}
    </g>
  )
}

function InFlightMark({x, y}: {readonly x: number; readonly y: number}) {
  return (
    <g class="chart-in-flight">
      {[0, 5.5, 11].map((offset) => (
        <circle key={offset} cx={x + offset} cy={y} r={1.6} />
      ))}
    </g>
  )
}
