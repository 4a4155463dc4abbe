//! Kubernetes resources: kinds, ids, resource sets, schema facts and orders.
