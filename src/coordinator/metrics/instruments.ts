/** The metrics of the table as instruments of prom-client, in one registry for each source. */
import {Counter, Gauge, Histogram, Registry} from 'prom-client'
import {type MetricName, type MetricNameOf, metricTable} from './metric-table.ts'

/** In seconds: from a signal to a stop with a grace period. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

export type SetValue = (value: number, labels?: Readonly<Record<string, string>>) => void

export interface Instruments {
  readonly ofStream: Registry
  readonly ofNode: Registry
  /** @param read called for each rendering; series that it does not set disappear */
  gauge(name: MetricNameOf<'gauge'>, read: (set: SetValue) => void): void
  counter(name: MetricNameOf<'counter'>): Counter<string>
  /** A counter whose value is counted elsewhere. */
  total(name: MetricNameOf<'counter'>, read: () => number): void
  histogram(name: MetricNameOf<'histogram'>): Histogram<string>
}

export function createInstruments(): Instruments {
  const [ofStream, ofNode] = [new Registry(), new Registry()]
  return {
    ofStream,
    ofNode,
    gauge: (name, read) => {
      const made: Gauge<string> = new Gauge({
        ...describe(name),
        collect: () => {
          made.reset()
          read((value, labels = {}) => made.set({...labels}, value))
        },
      })
    },
    counter: (name) => new Counter(describe(name)),
    total: (name, read) => {
      const made: Counter<string> = new Counter({
        ...describe(name),
        collect: () => {
          made.reset()
          made.inc(read())
        },
      })
    },
    histogram: (name) => new Histogram({...describe(name), buckets}),
  }

  function describe(name: MetricName) {
    const {of, labels, help} = metricTable[name]
    return {name, help, labelNames: [...labels], registers: [of === 'stream' ? ofStream : ofNode]}
  }
}
