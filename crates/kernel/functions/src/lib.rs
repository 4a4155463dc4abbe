//! The template functions of sprig and Helm, one file a family.
