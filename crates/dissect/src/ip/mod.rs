//! IPv4 and IPv6 headers, extension headers and fragments.
