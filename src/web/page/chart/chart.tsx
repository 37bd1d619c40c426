import {useEffect, useMemo, useRef, useState} from 'preact/hooks'
import type {ChartMarks} from '../../../chart/marks.ts'
import {type Camera, frameMoment, frameWhole, type Size, toView, zoom} from './camera.ts'
import {ChartControls, type Following} from './chart-controls.tsx'
import {ChartEdges} from './chart-edges.tsx'
import {ChartStates} from './chart-states.tsx'
import {toDrawnMarks} from './drawn-marks.ts'
import {findChart} from './layouts.ts'
import type {ChartName} from './machines.ts'
import {Minimap} from './minimap.tsx'
import {useDragging} from './use-dragging.ts'
import {useSize} from './use-size.ts'

interface ChartProps {
  readonly name: ChartName
  readonly marks: ChartMarks
  /** Changes with every event: restarts animations. */
  readonly moment: number
  /** The accessible name. */
  readonly label: string
  readonly pointedAt?: string | undefined
  readonly onCommand?: ((command: string) => void) | undefined
  /** A small chart without controls that is always shown whole. */
  readonly isFixed?: boolean
}

/** A chart at one moment. The view follows the active state until the user moves it. */
export function Chart({name, marks, moment, label, pointedAt, onCommand, isFixed = false}: ChartProps) {
  const chart = findChart(name)
  const drawn = useMemo(() => toDrawnMarks(chart.model, marks), [chart, marks])
  const panel = useRef<HTMLDivElement>(null)
  const size = useSize(panel)
  const [following, setFollowing] = useState<Following>(isFixed ? 'whole' : 'moment')
  const [byHand, setByHand] = useState<Camera | undefined>(undefined)
  const camera =
    byHand ?? (size && (following === 'moment' ? frameMoment(chart.layout, drawn, size) : frameWhole(chart.layout, size, isFixed)))
  const move = (next: (camera: Camera) => Camera) => camera && setByHand(next(camera))
  useDragging(panel, camera, isFixed ? undefined : setByHand)
  // The first view appears without an animation.
  const [hasBegun, setHasBegun] = useState(false)
  useEffect(() => {
    if (size && !hasBegun) requestAnimationFrame(() => setHasBegun(true))
  }, [size])
  return (
    <div ref={panel} class="chart" data-chart={name} data-fixed={isFixed} data-moving={hasBegun && !byHand}>
      {size && camera && (
        <svg class="chart-picture" width={size.width} height={size.height} role="img" aria-label={label}>
          <g class="chart-plane" style={{transform: toTransform(camera, size)}}>
            <ChartStates chart={chart} marks={drawn} moment={moment} />
            <ChartEdges chart={chart} marks={drawn} moment={moment} pointedAt={pointedAt} {...(onCommand && {onCommand})} />
          </g>
        </svg>
      )}
      {!isFixed && size && camera && (
        <>
          <Minimap layout={chart.layout} active={drawn.active} view={toView(camera, size)} />
          <ChartControls
            following={byHand ? undefined : following}
            onFollow={(next) => {
              setByHand(undefined)
              setFollowing(next)
            }}
            onZoom={(factor) => move((before) => zoom(before, factor))}
          />
        </>
      )}
    </div>
  )
}

function toTransform({x, y, scale}: Camera, {width, height}: Size): string {
  return `translate(${width / 2 - x * scale}px, ${height / 2 - y * scale}px) scale(${scale})`
}
