/** Lays out a chart with elkjs, in layers, with nested states. Also runs in a browser. */
import elk from 'elkjs/lib/elk.bundled.js'
import type {Direction} from './box.ts'
import type {ChartLayout} from './chart-layout.ts'
import {toElkGraph} from './elk-graph.ts'
import type {ChartModel} from './model.ts'
import {toChartLayout} from './place.ts'

export type {ChartLayout}

export interface LayoutOptions {
  /** Default: `down`, which results in a layout that is higher than wide. */
  readonly direction?: Direction
}

/** Takes a few tenths of a second. Equal models give equal layouts. */
export async function layoutChart(model: ChartModel, {direction = 'down'}: LayoutOptions = {}): Promise<ChartLayout> {
  return toChartLayout(model, direction, await new elk.default().layout(toElkGraph(model, direction)))
}
