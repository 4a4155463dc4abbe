//! Rendering charts as Helm does: releases, capabilities, hooks, manifests.
