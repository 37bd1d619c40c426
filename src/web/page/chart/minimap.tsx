import type {Rectangle} from '../../../chart/chart-layout.ts'
import {clip} from './camera.ts'
import type {BuiltLayout} from './built-layout.ts'

interface MinimapProps {
  readonly layout: BuiltLayout
  readonly active: ReadonlySet<string>
  /** The visible part of the chart. */
  readonly view: Rectangle
}

/** A thumbnail of the whole chart with a frame around the visible part. Hidden from screen readers. */
export function Minimap({layout, active, view}: MinimapProps) {
  const shown = clip(view, layout)
  const states = layout.states.filter(({depth, isRegion}) => depth < 4 && !isRegion)
  return (
    <svg class="minimap" viewBox={`0 0 ${layout.width} ${layout.height}`} aria-hidden="true">
      {states.map(({id, x, y, width, height, depth}) => (
        <rect
          key={id}
          class="minimap-state"
          data-active={active.has(id)}
          data-depth={depth}
          x={x}
          y={y}
          width={width}
          height={height}
          rx={12}
        />
      ))}
      <rect class="minimap-view" x={shown.x} y={shown.y} width={shown.width} height={shown.height} rx={16} />
    </svg>
  )
}
