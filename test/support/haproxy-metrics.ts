/** What the alerts ask of HAProxy's own exporter; test/e2e/haproxy-metrics.test.ts finds it there. */
export const HAPROXY_METRICS = ['haproxy_server_status', 'haproxy_server_downtime_seconds_total'] as const;
