/** Has a chart laid out by elkjs, in layers, with states inside states. Runs in a browser. */
import elk from 'elkjs/lib/elk.bundled.js'
import type {Direction} from './box.ts'
import type {ChartLayout} from './chart-layout.ts'
import {toElkGraph} from './elk-graph.ts'
import type {ChartModel} from './model.ts'
import {toChartLayout} from './place.ts'

export type {ChartLayout}

export interface LayoutOptions {
  /** Which way time goes. `down` unless told: higher than wide. */
  readonly direction?: Direction
}

/** Takes some tenths of a second. Equal models give equal layouts. */
export async function layoutChart(model: ChartModel, {direction = 'down'}: LayoutOptions = {}): Promise<ChartLayout> {
  return toChartLayout(model, direction, await new elk.default().layout(toElkGraph(model, direction)))
}
