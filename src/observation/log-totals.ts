/** How many bytes of each stream are in a log that another process writes: counted on from where the last count ended. */
import {fstatSync} from 'node:fs'
import {countBytes} from '../stdio/cri-log.ts'
import {readOpenLog} from '../stdio/log-file.ts'
import {firstPlace, openLog, type Place} from '../stdio/log-segments.ts'

export interface LogTotals {
  /**
   * @param key of what has written the log: another process may write under the same path later
   * @returns undefined when that would take too long
   */
  read(key: string, path: string): Pick<Place, 'stdout' | 'stderr'> | undefined
}

/** Some 20 ms. */
const usualMostBytes = 16 * 1024 * 1024
const mostLogs = 1_000

export function createLogTotals(mostBytes = usualMostBytes): LogTotals {
  /** Where the last count ended. The one that was read longest ago is first. */
  const known = new Map<string, Place>()
  return {
    read: (key, path) => {
      // The last file of the log begins at a known place, too.
      using log = openLog(path, Number.POSITIVE_INFINITY)
      const [newest] = log.segments
      const begin = toLater(newest?.begin ?? firstPlace, known.get(key))
      if (newest && newest.begin.position + fstatSync(newest.fd).size - begin.position > mostBytes) return undefined
      const place = {...begin}
      for (const entry of readOpenLog(log, begin.position)) {
        place[entry.stream] += countBytes(entry.line, entry)
        place.position = entry.end
      }
      known.delete(key)
      known.set(key, place)
      const [oldest] = known.keys()
      if (oldest !== undefined && known.size > mostLogs) known.delete(oldest)
      return place
    },
  }
}

function toLater(place: Place, other: Place | undefined): Place {
  return other && other.position > place.position ? other : place
}
