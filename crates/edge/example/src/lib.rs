//! The example company, shop, and the skeleton of a new repository.
