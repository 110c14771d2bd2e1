"""An event becomes somebody's business."""
