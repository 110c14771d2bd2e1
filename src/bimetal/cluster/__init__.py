"""Past one machine: the same shards on NATS JetStream, Ray and Flink."""
