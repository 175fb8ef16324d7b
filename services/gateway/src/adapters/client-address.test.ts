import { expect, test } from 'vitest';
import { ClientAddresses } from './client-address.ts';

const addresses = new ClientAddresses(['10.0.0.0/8', '192.0.2.7', 'fd00::/8']);

test.each([
  ['the peer is not ours: what it says counts nothing', '203.0.113.9', '198.51.100.1', '203.0.113.9'],
  ['a proxy of ours', '10.1.2.3', '198.51.100.1', '198.51.100.1'],
  ['two of ours; what the client wrote itself counts nothing', '10.1.2.3', '1.1.1.1, 198.51.100.1, 192.0.2.7', '198.51.100.1'],
  ['all of ours', '10.1.2.3', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
  ['somebody of a private network, through a proxy of ours', '10.1.2.3', '192.168.1.5', '192.168.1.5'],
  ['nonsense ends it', '10.1.2.3', '198.51.100.1, unknown, 10.0.0.2', '10.0.0.2'],
  ['with a port', '10.1.2.3', '198.51.100.1:4711', '198.51.100.1'],
  ['as uWebSockets.js spells IPv4 on a socket of both', '0000:0000:0000:0000:0000:ffff:0a01:0203', '198.51.100.1', '198.51.100.1'],
  ['IPv6: a household', '2001:0db8:0001:0002:0003:0004:0005:0006', '', '2001:db8:1:2::/64'],
  ['IPv6, spelled short', '2001:db8::6', '', '2001:db8:0:0::/64'],
  ['IPv6 through a proxy, in brackets', 'fd00::1', '[2001:db8:1:2:ffff::1]:443', '2001:db8:1:2::/64'],
])('[GW33] %s', (_, peer, forwardedFor, client) => {
  expect(addresses.of(peer, forwardedFor)).toBe(client);
});

test.each([
  ['127.0.0.1', ''],
  ['::1', ''],
  ['0000:0000:0000:0000:0000:0000:0000:0001', ''],
  ['10.1.2.3', '127.0.0.1'],
  ['10.1.2.3', ''],
  ['192.168.1.1', '198.51.100.1'],
  ['fe80::1%eth0', ''],
])('[GW33] this machine itself, and what may be a proxy that nobody told us of, is not limited: %s %s', (peer, forwardedFor) => {
  expect(addresses.of(peer, forwardedFor)).toBeUndefined();
});
