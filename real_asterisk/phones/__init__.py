"""SIP phones on loopback, with audio, for tests and benchmarks on a real Asterisk.

`phone.SipPhone` is a phone, `call.Call` one of its calls. Each phone sends a tone of
its own (`tones.TONES`), and detects those of the others in the RTP that it receives, so
that a test can say who hears whom.
"""
