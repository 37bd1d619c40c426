import {describe, expect, it} from 'vitest'
import {toCgroupStats} from '../../../src/linux/cgroup-stats.ts'

const read = (files: Readonly<Record<string, string>>) => toCgroupStats((name) => files[name])

/** The format of the kernel's documentation of cgroup v2. */
const v2 = {
  'cpu.stat':
    'usage_usec 3105822\nuser_usec 2893014\nsystem_usec 212808\nnr_periods 62\nnr_throttled 61\nthrottled_usec 3083311\nnr_bursts 0\nburst_usec 0\n',
  'memory.current': '41943040\n',
  'memory.max': '67108864\n',
  'memory.stat':
    'anon 8388608\nfile 33030144\nkernel 524288\nslab 300000\ninactive_anon 8380416\nactive_anon 4096\ninactive_file 30408704\nactive_file 2621440\n',
  'memory.swap.current': '4096\n',
  'memory.events': 'low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\noom_group_kill 0\n',
  'pids.current': '7\n',
  'pids.max': '100\n',
  'io.stat':
    '259:0 rbytes=1048576 wbytes=4096 rios=16 wios=1 dbytes=0 dios=0\n8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=77 dios=9\n7:0 \n',
}

/** Recorded on Linux 6.18: half a CPU, 64 MiB, one process killed because memory ran out. */
const v1 = {
  'cpuacct.usage': '1118843704\n',
  'cpuacct.usage_user': '1119751961\n',
  'cpuacct.usage_sys': '92000000\n',
  'cpu.stat': 'nr_periods 25\nnr_throttled 22\nthrottled_time 876227400\nnr_bursts 0\nburst_time 0\n',
  'memory.usage_in_bytes': '1298432\n',
  'memory.limit_in_bytes': '67108864\n',
  'memory.stat': [
    ...['cache 8192', 'rss 819200', 'rss_huge 0', 'shmem 0', 'swap 0', 'inactive_anon 733184', 'inactive_file 8192', 'active_file 0'],
    ...['hierarchical_memory_limit 67108864', 'hierarchical_memsw_limit 9223372036854771712', 'total_cache 8192', 'total_rss 819200'],
    ...['total_swap 0', 'total_swapcached 0', 'total_inactive_anon 733184', 'total_inactive_file 8192', 'total_unevictable 0', ''],
  ].join('\n'),
  'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
  'pids.current': '2\n',
  'pids.max': '100\n',
  'blkio.throttle.io_service_bytes_recursive': 'Total 0\n',
  'blkio.throttle.io_serviced_recursive': 'Total 0\n',
}

describe('resource usage', () => {
  it('is read from files of cgroup v2', () => {
    expect(read(v2)).toEqual({
      cpu: {usageNs: 3105822e3, userNs: 2893014e3, systemNs: 212808e3, periods: 62, throttledPeriods: 61, throttledNs: 3083311e3},
      memory: {
        usageBytes: 41943040,
        workingSetBytes: 11534336,
        limitBytes: 67108864,
        anonBytes: 8388608,
        fileBytes: 33030144,
        swapBytes: 4096,
        oomKills: 1,
      },
      pids: {current: 7, limit: 100},
      io: {readBytes: 1052672, writeBytes: 12288, readOps: 17, writeOps: 3},
    })
  })

  it('is read from files of cgroup v1', () => {
    expect(read(v1)).toEqual({
      cpu: {usageNs: 1118843704, userNs: 1119751961, systemNs: 92000000, periods: 25, throttledPeriods: 22, throttledNs: 876227400},
      memory: {
        usageBytes: 1298432,
        workingSetBytes: 1290240,
        limitBytes: 67108864,
        anonBytes: 819200,
        fileBytes: 8192,
        swapBytes: 0,
        oomKills: 1,
      },
      pids: {current: 2, limit: 100},
      io: {readBytes: 0, writeBytes: 0, readOps: 0, writeOps: 0},
    })
  })

  it('of block devices on cgroup v1 is the sum over all devices', () => {
    const bytes = '259:0 Read 1048576\n259:0 Write 4096\n259:0 Sync 0\n259:0 Total 1052672\n8:0 Read 4096\n8:0 Write 8192\nTotal 1064960\n'
    const ops = '259:0 Read 16\n259:0 Write 1\n259:0 Total 17\n8:0 Read 1\n8:0 Write 2\nTotal 20\n'
    const io = {readBytes: 1052672, writeBytes: 12288, readOps: 17, writeOps: 3}
    expect(read({'blkio.throttle.io_service_bytes_recursive': bytes, 'blkio.throttle.io_serviced_recursive': ops})).toEqual({io})
    expect(read({'blkio.throttle.io_service_bytes': bytes, 'blkio.throttle.io_serviced': ops})).toEqual({io})
  })

  it('on a hybrid host is read from cgroup v1 if both have a value', () => {
    const both = {...v1, 'cpu.stat': `${v1['cpu.stat']}\nusage_usec 1\nuser_usec 1\nsystem_usec 1\nnice_usec 0\n`}
    expect(read(both)).toEqual(read(v1))
  })

  it('has no limit when none is set', () => {
    expect(read({...v2, 'memory.max': 'max\n', 'pids.max': 'max\n'})).toMatchObject({
      memory: {usageBytes: 41943040, limitBytes: undefined},
      pids: {current: 7, limit: undefined},
    })
    expect(read({...v1, 'memory.limit_in_bytes': '9223372036854771712\n'}).memory?.limitBytes).toBeUndefined()
  })

  it('is absent without the controller, and 0 when nothing was counted', () => {
    expect(read({'cpu.stat': 'usage_usec 0\nuser_usec 0\nsystem_usec 0\n'})).toEqual({cpu: {usageNs: 0, userNs: 0, systemNs: 0}})
    expect(read({'io.stat': ''})).toEqual({io: {readBytes: 0, writeBytes: 0, readOps: 0, writeOps: 0}})
    expect(read({})).toEqual({})
  })

  it('never has a negative working set', () => {
    expect(read({'memory.current': '4096\n', 'memory.stat': 'inactive_file 8192\n'}).memory?.workingSetBytes).toBe(0)
  })
})
