/**
 * What the frames of a page cost, by the browser's own trace. Processor time of the page's main thread is what the page can
 * do something about; time by the clock depends on the load of the machine.
 */
import type {Page} from 'playwright-core'
import * as z from 'zod'

/** https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU: times are in microseconds. */
const traceEventSchema = z.object({
  name: z.string(),
  ph: z.string(),
  pid: z.int(),
  tid: z.int(),
  ts: z.number(),
  dur: z.number().default(0),
  tdur: z.number().default(0),
})
type TraceEvent = z.infer<typeof traceEventSchema>

export interface FrameTimes {
  /** Milliseconds of each frame: all that was done since the frame before, on the main thread. */
  readonly processor: readonly number[]
  /** The same by the clock. */
  readonly clock: readonly number[]
}

/** Of all frames that are drawn while `run` runs. */
export async function measureFrames(page: Page, run: () => Promise<void>): Promise<FrameTimes> {
  const session = await page.context().newCDPSession(page)
  const events: TraceEvent[] = []
  session.on('Tracing.dataCollected', ({value}) => events.push(...value.map((event) => traceEventSchema.parse(event))))
  await session.send('Tracing.start', {transferMode: 'ReportEvents', traceConfig: {includedCategories: ['toplevel', 'devtools.timeline']}})
  await run()
  const complete = new Promise<void>((resolve) => session.once('Tracing.tracingComplete', () => resolve()))
  await session.send('Tracing.end')
  await complete
  return toFrameTimes(events)
}

export function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0
}

function toFrameTimes(events: readonly TraceEvent[]): FrameTimes {
  const drawn = events.filter(({name}) => name === 'Layerize')
  const [first] = drawn
  if (!first) return {processor: [], clock: []}
  const mine = events.filter(({pid, tid}) => pid === first.pid && tid === first.tid).toSorted((a, b) => a.ts - b.ts)
  const tasks = mine.filter(({name, ph}) => name === 'ThreadControllerImpl::RunTask' && ph === 'X')
  const [processor, clock]: [number[], number[]] = [[], []]
  let [busy, long] = [0, 0]
  for (const task of tasks) {
    busy += task.tdur / 1_000
    long += task.dur / 1_000
    if (!drawn.some(({ts}) => ts >= task.ts && ts <= task.ts + task.dur)) continue
    processor.push(busy)
    clock.push(long)
    busy = 0
    long = 0
  }
  return {processor, clock}
}
