import {describe, expect, it} from 'vitest'
import {type RootfsRequest, rootfsRequestSchema} from '../../../machines/schemas/create-request.ts'
import {chooseCapabilities} from '../../../src/runtime/spec/choose-capabilities.ts'
import {generateSpec} from '../../../src/runtime/spec/generate.ts'

const host = {
  capabilities: new Set(['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_ADMIN', 'CAP_SYS_TIME']),
  cgroupNamespace: true,
  architecture: 'x64',
  kernel: '6.1.0',
}

function request(fields: object): RootfsRequest {
  return rootfsRequestSchema.parse({rootfs: '/r', args: ['true'], ...fields})
}

function generate(fields: object) {
  const user = {uid: 0, gid: 0, additionalGids: [], home: '/'}
  return generateSpec({request: request(fields), rootfs: '/r', containerId: 'c', cgroupsPath: '/tally-c', user, host})
}

describe('capabilities', () => {
  it.each<[object, readonly string[]]>([
    [{}, ['CAP_CHOWN', 'CAP_KILL']],
    [{capDrop: ['chown']}, ['CAP_KILL']],
    [{capDrop: ['ALL']}, []],
    [{capDrop: ['ALL'], capAdd: ['CAP_KILL']}, ['CAP_KILL']],
    [{capAdd: ['net_admin']}, ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_ADMIN']],
    [{capAdd: ['ALL'], capDrop: ['NET_ADMIN']}, ['CAP_CHOWN', 'CAP_KILL', 'CAP_SYS_TIME']],
  ])('%j are %j', (fields, expected) => {
    expect(chooseCapabilities(request(fields), host)).toEqual(expected)
  })

  it('are refused when they are unknown, or when the host lacks them', () => {
    expect(() => chooseCapabilities(request({capAdd: ['FLY']}), host)).toThrow(/expected a capability of capabilities\(7\), got CAP_FLY/)
    expect(() => chooseCapabilities(request({capAdd: ['SYS_ADMIN']}), host)).toThrow(/that this host may give, got CAP_SYS_ADMIN/)
  })
})

describe('the spec', () => {
  it('has limits, mounts and a read-only root only where they are asked for', () => {
    const devices = [{allow: false, access: 'rwm'}]
    expect(generate({}).linux.resources).toEqual({devices})
    expect(generate({}).root).toEqual({path: '/r'})
    expect(generate({memoryBytes: 1024, cpus: 1.5, pidsLimit: 7}).linux.resources).toEqual({
      devices,
      memory: {limit: 1024},
      cpu: {quota: 150_000, period: 100_000},
      pids: {limit: 7},
    })
    expect(generate({readOnly: true}).root).toEqual({path: '/r', readonly: true})
    const mounts = [
      {type: 'bind', source: '/a', target: '/b', readOnly: true},
      {type: 'bind', source: '/c', target: '/d'},
      {type: 'tmpfs', target: '/t'},
    ]
    expect(generate({mounts}).mounts.slice(-3)).toEqual([
      {destination: '/b', type: 'bind', source: '/a', options: ['rbind', 'rprivate', 'ro']},
      {destination: '/d', type: 'bind', source: '/c', options: ['rbind', 'rprivate', 'rw']},
      {destination: '/t', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'noexec']},
    ])
  })
})
